#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "benchmark/clock.h"
#include "optimize/judge.h"
#include "optimize/laboratory.h"
#include "optimize/split.h"

namespace kobolt {

/// The setting that everything is measured against: fp32, unpruned, as the checkpoint has it.
Setting baseline_setting();

/// Runs trials: asks the laboratory for what the store does not have, stores it with the time it
/// took, and fills in Trials from both.
class TrialRunner {
 public:
  /// All outlive the runner. Measures the baseline on all documents that are searched on. Throws
  /// Error, also where it scores 0 on them.
  TrialRunner(const OptimizeOptions& options, const Split& split, Laboratory& laboratory,
              TrialStore& store, Clock& clock);

  [[nodiscard]] const Trial& baseline() const { return baseline_; }
  [[nodiscard]] static Trial fresh(const Setting& setting);

  /// Judges a trial on the first `documents` that are searched on, and times it beside the
  /// baseline. False, with the trial's state `failed`, where the setting cannot be made or run.
  bool judge(Trial& trial, std::size_t documents);
  /// Whether that would take no time.
  [[nodiscard]] bool judged_before(const Trial& trial, std::size_t documents) const;

  /// What is stored and was judged on all documents that are searched on, not yet judged again.
  [[nodiscard]] std::vector<Trial> judged_before() const;

  /// Judges the trials on the documents held back, times them in turns with the baseline and
  /// measures their memory; the baseline comes first. Their state is then `finalist`.
  void compare_finalists(std::span<Trial*> finalists);

  [[nodiscard]] std::size_t search_documents() const { return split_.search.size(); }
  /// Whether there is time for another trial before `finalists` of them have to be compared.
  [[nodiscard]] bool time_left(std::size_t finalists) const;
  /// Tells options.progress.
  void report(const std::string& text, const std::optional<std::string>& finished = {}) const;

 private:
  bool measure(Trial& trial, const std::function<void(TrialRecord&)>& work);
  void summarize(Trial& trial, std::span<const std::size_t> documents, TrialRecord& found);
  void measure_baseline();
  void measure_memory(Trial& trial);
  void time_in_turns(std::span<Trial*> trials);

  const OptimizeOptions& options_;
  const Split& split_;
  Laboratory& laboratory_;
  TrialStore& store_;
  Clock& clock_;
  Trial baseline_;
  double seconds_per_document_ = 0;  // of the baseline's summaries, many at once
};

}  // namespace kobolt
