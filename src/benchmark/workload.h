#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "benchmark/clock.h"
#include "kobolt/benchmark.h"

namespace kobolt {

/// What came of a batch.
struct BatchOutcome {
  std::size_t documents = 0;
  std::size_t tokens = 0;             ///< generated, or encoded when only that was done
  std::size_t steps = 0;              ///< of decoding
  std::optional<double> first_token;  ///< the clock's time when the first step had ended
};

/// Documents without an end, to be run some at a time.
class Workload {
 public:
  Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  virtual ~Workload() = default;
  /// Runs documents number `first` to `first + count`, counting on from the start after the last.
  virtual BatchOutcome run(std::size_t first, std::size_t count) = 0;
};

/// The documents of BenchmarkOptions on a Summarizer. Two engines with the same options and the
/// same vocabulary get the same documents.
class SummarizerWorkload : public Workload {
 public:
  /// Throws Error for options out of range. All arguments outlive the workload.
  SummarizerWorkload(Summarizer& summarizer, const BenchmarkOptions& options, const Clock& clock);
  BatchOutcome run(std::size_t first, std::size_t count) override;

 private:
  BatchOutcome run_texts(std::size_t first, std::size_t count);
  BatchOutcome run_ids(std::size_t first, std::size_t count);

  Summarizer& summarizer_;
  const BenchmarkOptions& options_;
  const Clock& clock_;
  SummarizeOptions settings_;
  BatchOutcome outcome_;  // of the batch under way
  std::vector<std::vector<std::int32_t>> ids_;
};

/// Throws Error where numbers of batches, documents or seconds make no sense.
void check_budget(const BenchmarkOptions& options);

}  // namespace kobolt
