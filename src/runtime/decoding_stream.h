#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kobolt/trace.h"
#include "runtime/backend.h"
#include "runtime/generation_plan.h"
#include "runtime/held_document.h"
#include "runtime/score_row.h"
#include "runtime/search.h"
#include "runtime/waiting_documents.h"

namespace kobolt {

/// Documents in and out of one back end's batch, one step after another. Not thread-safe; several
/// streams may share waiting documents and results, each with a back end of its own.
class DecodingStream {
 public:
  /// What a stream does besides generating.
  struct Calls {
    Trace* trace = nullptr;
    std::function<void()> finished;  // after each document
    std::function<void()> stepped;
    std::function<bool()> leaving;  // true: takes no further documents
  };

  /// `places`: documents at once. A document's results go to results[its index]. Everything given
  /// outlives the stream.
  DecodingStream(Backend& backend, std::span<const std::vector<std::int32_t>> documents,
                 const GenerationPlan& plan, std::size_t places, WaitingDocuments& waiting,
                 std::span<std::vector<GeneratedSequence>> results, const Calls& calls);
  /// Until no document waits and those that were taken are done, or until somebody stops it all.
  void run();

 private:
  struct Active {
    std::size_t index;
    HeldDocument encoded;
    std::unique_ptr<Search> search;
    std::size_t first_row = 0;
  };

  void admit();
  void step();
  /// Sampling looks at every token, and penalties at the scores of many. Settings that only forbid
  /// tokens leave most of a row's best alone.
  [[nodiscard]] bool needs_all_logits() const;
  /// How many of a row's best a summary names.
  [[nodiscard]] std::size_t candidates() const;
  void step_whole();
  void step_summarized();
  void retire();

  Backend& backend_;
  std::span<const std::vector<std::int32_t>> documents_;
  const GenerationPlan& plan_;
  const Calls& calls_;
  std::size_t places_;  // documents at once
  ScoreRow scores_;
  WaitingDocuments& waiting_;
  std::span<std::vector<GeneratedSequence>> results_;

  std::vector<std::size_t> taken_;
  std::vector<Active> active_;
  std::vector<std::unique_ptr<Search>> idle_;
  std::vector<std::vector<std::int32_t>> group_;
  std::vector<StepRow> rows_;
  std::vector<float> logits_;
  std::vector<LogitSummary> summaries_;
};

}  // namespace kobolt
