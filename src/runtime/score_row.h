#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/backend.h"

namespace kobolt {

/// Next-token scores of one row, edited token by token. Edits are kept beside the logits, so that
/// a setting which concerns a handful of tokens costs a handful of operations and the vocabulary
/// is read only to normalise and to select.
class ScoreRow {
 public:
  explicit ScoreRow(int vocab_size);

  /// What a token's score is before edits. Beam search works on log-probabilities, greedy search
  /// and sampling on logits: the settings below act on the one or the other, as in transformers.
  enum class Scale : std::uint8_t { logits, log_probabilities };

  /// Starts over with `logits` [vocab_size], which it borrows, and overwrites in top().
  /// Throws Error(corrupt) when they are not numbers.
  void reset(std::span<float> logits, Scale scale);
  /// The same for row `row` of the newest step_summary() of `backend`. All logits are fetched only
  /// when the summary does not answer a question: a token's score, or more candidates than are left
  /// of its best after edits.
  void reset(const LogitSummary& summary, Backend& backend, std::size_t row, Scale scale);

  [[nodiscard]] int vocab_size() const { return vocab_size_; }
  /// Score of a token of the vocabulary.
  [[nodiscard]] float operator[](std::int32_t token);
  /// Ids outside the vocabulary are ignored: no such token can be chosen anyway.
  void set(std::int32_t token, float score);
  /// Replaces the score s of each distinct token among `tokens` by f(s), once however often the
  /// token occurs.
  template <typename F>
  void transform(std::span<const std::int32_t> tokens, F f);
  /// Minus infinity for each of `tokens`.
  void forbid(std::span<const std::int32_t> tokens);
  /// Zero for each of `tokens`, minus infinity for all others.
  void keep_only(std::span<const std::int32_t> tokens);

  /// The `count` best candidates into `out`, best first, lowest token first among equals; tokens
  /// at minus infinity are left out, so there may be fewer. Call it once after reset().
  void top(int count, std::vector<Candidate>& out);
  /// Every candidate above minus infinity, in no order. Call it once after reset(), as top().
  void all(std::vector<Candidate>& out);
  /// The best candidate; token 0 when all are at minus infinity.
  Candidate best();

 private:
  [[nodiscard]] bool contains(std::int32_t token) const {
    return token >= 0 && token < vocab_size_;
  }
  [[nodiscard]] bool edited(std::int32_t token) const {
    return edit_round_[static_cast<std::size_t>(token)] == round_;
  }
  void begin(float shift);
  void hide_edited();
  void fetch_all();
  /// The best unedited of the summary into `out`, up to `count`. False if there may be more.
  bool summarized_top(int count, std::vector<Candidate>& out) const;

  int vocab_size_;
  std::span<float> logits_;  // empty while the summary suffices
  const LogitSummary* summary_ = nullptr;
  Backend* backend_ = nullptr;
  std::size_t row_ = 0;
  std::vector<float> fetched_;
  float shift_ = 0;  // score of an unedited token: its logit minus this
  bool only_edited_ = false;

  std::vector<std::int32_t> edited_tokens_;
  std::vector<float> edits_;  // by token; valid where edit_round_ is the current round
  std::vector<std::uint32_t> edit_round_;
  std::uint32_t round_ = 0;
  std::vector<std::uint32_t> visit_round_;
  std::uint32_t visit_ = 0;

  std::vector<Candidate> best_;
  std::vector<float> top_values_;
  std::vector<std::int32_t> top_tokens_;
};

template <typename F>
void ScoreRow::transform(std::span<const std::int32_t> tokens, F f) {
  ++visit_;
  for (const std::int32_t token : tokens) {
    if (!contains(token)) continue;
    std::uint32_t& seen = visit_round_[static_cast<std::size_t>(token)];
    if (seen == visit_) continue;
    seen = visit_;
    set(token, f((*this)[token]));
  }
}

}  // namespace kobolt
