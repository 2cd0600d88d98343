#pragma once

#include <vector>

#include "runtime/random.h"
#include "runtime/search.h"

namespace kobolt {

/// Greedy search and sampling: sequences that go on independently of each other, transformers'
/// `_sample`. Scores are logits.
class StepwiseSearch final : public Search {
 public:
  explicit StepwiseSearch(const GenerationPlan& plan);

  void start(std::size_t index) override;
  void advance(const StepLogits& logits, std::span<const std::int32_t> document,
               ScoreRow& scores) override;
  [[nodiscard]] std::vector<GeneratedSequence> results() const override;

 private:
  struct Sequence {
    std::vector<std::int32_t> tokens;  // with the start token
    std::size_t row = 0;
    bool finished = false;
    Random random{0, 0, 0};
  };
  std::int32_t choose(Sequence& sequence) const;

  std::vector<Sequence> sequences_;
  std::vector<std::vector<Candidate>> candidates_;  // by row
};

}  // namespace kobolt
