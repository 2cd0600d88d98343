#pragma once

#include <vector>

#include "runtime/random.h"
#include "runtime/search.h"

namespace kobolt {

/// Beam search and beam sampling, transformers' `_beam_search` for one document. Scores are
/// log-probabilities in float32.
class BeamSearch final : public Search {
 public:
  explicit BeamSearch(const GenerationPlan& plan);

  void start(std::size_t index) override;
  void advance(const StepLogits& logits, std::span<const std::int32_t> document,
               ScoreRow& scores) override;
  [[nodiscard]] std::vector<GeneratedSequence> results() const override;

 private:
  struct Beam {
    float score = 0;  // sum of processed log-probabilities
    std::size_t row = 0;
  };
  // A beam and the token that it may go on with.
  struct Continuation {
    float score = 0;
    std::size_t beam = 0;
    std::int32_t token = 0;
    bool finishes = false;
    double key = 0;  // what beam sampling selects by
  };
  struct Hypothesis {
    float score = 0;  // with the length penalty
    bool finished = false;
    std::vector<std::int32_t> tokens;  // without the start token
  };

  [[nodiscard]] std::span<const std::int32_t> tokens_of(std::size_t beam) const;
  void collect_candidates(const StepLogits& logits, std::span<const std::int32_t> document,
                          ScoreRow& scores);
  void select_continuations();
  void keep_finished();
  void keep_running();
  [[nodiscard]] bool can_improve() const;

  std::size_t width_;
  std::size_t stride_;      // tokens reserved for a beam
  std::size_t length_ = 1;  // tokens that each running beam has
  std::vector<Beam> beams_;
  std::vector<std::int32_t> tokens_;  // [width_, stride_]
  std::vector<Hypothesis> hypotheses_;
  Random random_{0, 0, 0};

  // Of one step, members only to keep their memory.
  std::vector<std::vector<Candidate>> candidates_;  // by row
  std::vector<Continuation> continuations_;
  std::vector<Continuation> running_;
  std::vector<Beam> next_beams_;
  std::vector<std::int32_t> next_tokens_;
};

}  // namespace kobolt
