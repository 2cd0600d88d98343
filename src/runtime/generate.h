#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kobolt/generation_config.h"
#include "kobolt/trace.h"
#include "runtime/backend.h"
#include "runtime/decoding_stream.h"
#include "runtime/generated_sequence.h"
#include "runtime/generation_plan.h"
#include "runtime/waiting_documents.h"

namespace kobolt {

struct GenerateOptions {
  /// Most rows in one step, over all documents; a document that needs more by itself gets them.
  int max_rows = 64;
  /// Called when documents have finished; like on_step, never by streams that help.
  std::function<void(std::size_t done)> progress;
  Trace* trace = nullptr;         ///< gets what searching takes; null: nowhere
  std::function<void()> on_step;  ///< called after each step, its tokens chosen
};

/// Generation for documents by one back end, or by several beside each other, each in a thread of
/// its own: they wait for nothing but the mutex of the waiting documents.
class Generation {
 public:
  /// As generate(); `backend` stands for all that will work, and the documents must outlive them.
  Generation(std::span<const std::vector<std::int32_t>> documents, const GenerationConfig& config,
             const Backend& backend, GenerateOptions options);

  /// Rows that the documents have together.
  [[nodiscard]] std::size_t rows() const;
  /// Generates with `backend` until no document waits and those that it took are done. What it
  /// throws also ends the others. One of `streams` that work, the one that reports.
  void work(Backend& backend, int streams = 1);
  /// The same for one of the others. Once `leaving` is true it takes no further documents.
  void help(Backend& backend, int streams, const std::function<bool()>& leaving);
  /// When all work has ended; once.
  std::vector<std::vector<GeneratedSequence>> results();

 private:
  [[nodiscard]] std::size_t places(int streams) const;
  void report();
  void run(Backend& backend, int streams, const DecodingStream::Calls& calls);

  std::span<const std::vector<std::int32_t>> documents_;
  GenerationPlan plan_;
  GenerateOptions options_;
  WaitingDocuments waiting_;
  std::vector<std::vector<GeneratedSequence>> results_;
  std::atomic<std::size_t> done_{0};
  std::size_t reported_ = 0;
};

/// Generates for every document (token ids, special tokens included) as transformers' generate()
/// does with the same settings; result [document][return sequence], in the order given. Documents
/// are taken longest first, a finished one leaves and a waiting one enters in mid-decode; what a
/// document gets does not depend on the others, nor does what it draws when sampling.
///
/// Where transformers would fail, at the end of the model's positions, a sequence ends as if
/// max_length were there.
///
/// Throws Error(invalid_argument) naming the setting for values that make no sense, and for a
/// document that is empty or longer than the model's positions.
std::vector<std::vector<GeneratedSequence>> generate(
    Backend& backend, std::span<const std::vector<std::int32_t>> documents,
    const GenerationConfig& config, const GenerateOptions& options);

}  // namespace kobolt
