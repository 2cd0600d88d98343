#include "runtime/beam_search.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "runtime/logits_processors.h"
#include "runtime/sampling.h"

namespace kobolt {
namespace {

// transformers' stand-in for minus infinity: far below any score, but still a number, so that
// float32 arithmetic on it is what it is there.
constexpr float kFarBelow = -1.0e9F;

float length_divisor(std::size_t generated, double length_penalty) {
  return static_cast<float>(std::pow(static_cast<double>(generated), length_penalty));
}

}  // namespace

BeamSearch::BeamSearch(const GenerationPlan& plan)
    : Search(plan),
      width_(static_cast<std::size_t>(plan.num_beams)),
      stride_(static_cast<std::size_t>(plan.max_length)),
      tokens_(width_ * stride_),
      hypotheses_(width_),
      candidates_(width_),
      next_tokens_(width_ * stride_) {
  beams_.reserve(width_);
  next_beams_.reserve(width_);
  for (Hypothesis& hypothesis : hypotheses_) hypothesis.tokens.reserve(stride_);
  const auto kept = static_cast<std::size_t>(plan.beams_to_keep);
  for (std::vector<Candidate>& candidates : candidates_) candidates.reserve(kept);
  continuations_.reserve(width_ * kept);
  running_.reserve(width_ * kept);
}

void BeamSearch::start(std::size_t index) {
  done_ = false;
  length_ = 1;
  random_ = Random(plan_.seed, index, 0);
  clear_rows();
  // All beams begin alike; only the first one counts, so that the others do not repeat it.
  beams_.assign(width_, {.score = kFarBelow, .row = row_of(plan_.start_token, 0)});
  beams_[0].score = 0;
  for (std::size_t beam = 0; beam < width_; ++beam) tokens_[beam * stride_] = plan_.start_token;
  for (Hypothesis& hypothesis : hypotheses_) {
    hypothesis.score = kFarBelow;
    hypothesis.finished = false;
    hypothesis.tokens.clear();
  }
}

std::span<const std::int32_t> BeamSearch::tokens_of(std::size_t beam) const {
  return std::span(tokens_).subspan(beam * stride_, length_);
}

void BeamSearch::advance(const StepLogits& logits, std::span<const std::int32_t> document,
                         ScoreRow& scores) {
  collect_candidates(logits, document, scores);
  select_continuations();
  keep_finished();
  keep_running();
  ++length_;

  const auto kept = static_cast<std::size_t>(plan_.beams_to_keep);
  const bool all_end =
      length_ >= stride_ || (continuations_.size() == kept &&
                             std::ranges::all_of(continuations_, &Continuation::finishes));
  const bool satisfied = plan_.early_stopping == EarlyStopping::yes &&
                         std::ranges::all_of(hypotheses_, &Hypothesis::finished);
  done_ = all_end || satisfied || !can_improve();
}

void BeamSearch::collect_candidates(const StepLogits& logits,
                                    std::span<const std::int32_t> document, ScoreRow& scores) {
  for (std::size_t row = 0; row < rows().size(); ++row) {
    const auto owner =
        std::ranges::find_if(beams_, [row](const Beam& beam) { return beam.row == row; });
    logits.read(row, scores, ScoreRow::Scale::log_probabilities);
    process(scores, plan_, tokens_of(static_cast<std::size_t>(owner - beams_.begin())), document);
    if (plan_.sample) {
      sampling_candidates(scores, plan_, candidates_[row]);
    } else {
      // The best of all beams together are among the best of each.
      scores.top(plan_.beams_to_keep, candidates_[row]);
    }
  }
}

void BeamSearch::select_continuations() {
  continuations_.clear();
  for (std::size_t beam = 0; beam < beams_.size(); ++beam) {
    for (const Candidate& candidate : candidates_[beams_[beam].row]) {
      const float score = candidate.score + beams_[beam].score;
      continuations_.push_back({.score = score, .beam = beam, .token = candidate.token});
    }
  }
  const auto better = [](const Continuation& a, const Continuation& b) {
    if (a.score != b.score) return a.score > b.score;
    return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
  };
  const auto kept = std::min(continuations_.size(), static_cast<std::size_t>(plan_.beams_to_keep));
  const auto end = continuations_.begin() + static_cast<std::ptrdiff_t>(kept);
  if (plan_.sample) {
    // Gumbel noise and the largest sums: a sample without replacement from the softmax.
    for (Continuation& continuation : continuations_) {
      continuation.key = continuation.score - std::log(-std::log(random_.uniform()));
    }
    std::partial_sort(continuations_.begin(), end, continuations_.end(),
                      [](const Continuation& a, const Continuation& b) { return a.key > b.key; });
    std::sort(continuations_.begin(), end, better);
  } else {
    std::partial_sort(continuations_.begin(), end, continuations_.end(), better);
  }
  continuations_.resize(kept);

  const bool last = length_ + 1 >= stride_;
  for (Continuation& continuation : continuations_) {
    continuation.finishes = last || plan_.is_eos(continuation.token);
  }
}

// Only the best `width_` continuations may enter the results; the others are there so that enough
// unfinished ones remain.
void BeamSearch::keep_finished() {
  const float divisor = length_divisor(length_, plan_.length_penalty);
  const std::size_t considered = std::min(width_, continuations_.size());
  for (std::size_t i = 0; i < considered; ++i) {
    const Continuation& continuation = continuations_[i];
    if (!continuation.finishes) continue;
    const float score = continuation.score / divisor;
    Hypothesis& worst = hypotheses_.back();
    if (!(score > worst.score)) continue;
    worst.score = score;
    worst.finished = true;
    const auto tokens = tokens_of(continuation.beam).subspan(1);
    worst.tokens.assign(tokens.begin(), tokens.end());
    worst.tokens.push_back(continuation.token);
    // Equal scores stay in order of arrival; the new one goes last among its equals.
    const auto newest = hypotheses_.end() - 1;
    const auto place = std::find_if(hypotheses_.begin(), newest, [score](const Hypothesis& other) {
      return score > other.score;
    });
    std::rotate(place, newest, hypotheses_.end());
  }
}

void BeamSearch::keep_running() {
  running_ = continuations_;
  for (Continuation& continuation : running_) {
    if (continuation.finishes) continuation.score += kFarBelow;
  }
  // Equal scores keep their order. A handful of elements, and std::stable_sort would allocate.
  for (auto next = running_.begin(); next != running_.end(); ++next) {
    const auto place = std::ranges::upper_bound(running_.begin(), next, next->score,
                                                std::greater<>(), &Continuation::score);
    std::rotate(place, next, next + 1);
  }
  if (running_.size() > width_) running_.resize(width_);

  // Parents are rows of the step just taken, so they are looked up before the rows are replaced.
  next_beams_.clear();
  for (const Continuation& continuation : running_) {
    next_beams_.push_back({.score = continuation.score, .row = beams_[continuation.beam].row});
  }
  clear_rows();
  for (std::size_t beam = 0; beam < running_.size(); ++beam) {
    const auto tokens = tokens_of(running_[beam].beam);
    const auto out = next_tokens_.begin() + static_cast<std::ptrdiff_t>(beam * stride_);
    *std::copy(tokens.begin(), tokens.end(), out) = running_[beam].token;
    next_beams_[beam].row = row_of(running_[beam].token, next_beams_[beam].row);
  }
  std::swap(beams_, next_beams_);
  std::swap(tokens_, next_tokens_);
}

// Whether the best running beam could still enter the results; `length_` is already that of the
// running beams. With early_stopping false this is transformers' guess from the present length.
bool BeamSearch::can_improve() const {
  if (beams_.empty()) return false;
  const bool longest = plan_.early_stopping == EarlyStopping::never && plan_.length_penalty > 0;
  const std::size_t generated =
      (longest ? static_cast<std::size_t>(plan_.longest_length) : length_) - 1;
  const float best = beams_[0].score / length_divisor(generated, plan_.length_penalty);
  const float worst = hypotheses_.back().score;
  return std::ranges::any_of(hypotheses_, [&](const Hypothesis& hypothesis) {
    return best > (hypothesis.finished ? worst : kFarBelow);
  });
}

std::vector<GeneratedSequence> BeamSearch::results() const {
  std::vector<GeneratedSequence> results;
  for (int i = 0; i < plan_.num_return_sequences; ++i) {
    const Hypothesis& hypothesis = hypotheses_[static_cast<std::size_t>(i)];
    results.push_back({.tokens = hypothesis.tokens, .score = hypothesis.score});
  }
  return results;
}

}  // namespace kobolt
