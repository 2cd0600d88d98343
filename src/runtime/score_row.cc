#include "runtime/score_row.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/kernels.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

[[noreturn]] void not_numbers() {
  throw Error(ErrorKind::corrupt, "the model's output is not a number",
              {.field = "logits", .hint = "its weights are damaged or overflow"});
}

}  // namespace

ScoreRow::ScoreRow(int vocab_size)
    : vocab_size_(vocab_size),
      edits_(static_cast<std::size_t>(vocab_size)),
      edit_round_(static_cast<std::size_t>(vocab_size)),
      visit_round_(static_cast<std::size_t>(vocab_size)) {
  // Room for whatever settings may ask for in mid-decode. Pages that nobody writes cost nothing.
  const auto size = static_cast<std::size_t>(vocab_size);
  fetched_.reserve(size);
  edited_tokens_.reserve(size);
  best_.reserve(size);
  top_values_.reserve(size);
  top_tokens_.reserve(size);
}

void ScoreRow::reset(std::span<float> logits, Scale scale) {
  logits_ = logits;
  summary_ = nullptr;
  begin(scale == Scale::logits ? 0 : kernels::log_sum_exp(logits.data(), vocab_size_));
}

void ScoreRow::reset(const LogitSummary& summary, Backend& backend, std::size_t row, Scale scale) {
  logits_ = {};
  summary_ = &summary;
  backend_ = &backend;
  row_ = row;
  if (std::isnan(summary.log_sum)) not_numbers();
  begin(scale == Scale::logits ? 0 : summary.log_sum);
}

void ScoreRow::begin(float shift) {
  if (!std::isfinite(shift)) not_numbers();
  shift_ = shift;
  only_edited_ = false;
  edited_tokens_.clear();
  ++round_;
}

void ScoreRow::fetch_all() {
  if (!logits_.empty()) return;
  fetched_.resize(static_cast<std::size_t>(vocab_size_));
  backend_->logits_of(row_, fetched_);
  logits_ = fetched_;
  summary_ = nullptr;
}

float ScoreRow::operator[](std::int32_t token) {
  if (edited(token)) return edits_[static_cast<std::size_t>(token)];
  if (only_edited_) return kNever;
  fetch_all();
  return logits_[static_cast<std::size_t>(token)] - shift_;
}

void ScoreRow::set(std::int32_t token, float score) {
  if (!contains(token)) return;
  if (!edited(token)) {
    edit_round_[static_cast<std::size_t>(token)] = round_;
    edited_tokens_.push_back(token);
  }
  edits_[static_cast<std::size_t>(token)] = score;
}

void ScoreRow::forbid(std::span<const std::int32_t> tokens) {
  for (const std::int32_t token : tokens) set(token, kNever);
}

void ScoreRow::keep_only(std::span<const std::int32_t> tokens) {
  ++round_;
  edited_tokens_.clear();
  only_edited_ = true;
  for (const std::int32_t token : tokens) set(token, 0);
}

// Takes edited tokens out of the selection over the logits; they compete with their edits instead.
void ScoreRow::hide_edited() {
  for (const std::int32_t token : edited_tokens_) logits_[static_cast<std::size_t>(token)] = kNever;
}

bool ScoreRow::summarized_top(int count, std::vector<Candidate>& out) const {
  if (summary_ == nullptr) return false;
  const std::size_t before = out.size();
  for (const Candidate& candidate : summary_->best) {
    if (std::cmp_equal(out.size() - before, count)) return true;
    if (edited(candidate.token)) continue;
    // Whatever follows is at minus infinity too, or no number.
    if (!(candidate.score > kNever)) return true;
    out.push_back({candidate.score - shift_, candidate.token});
  }
  if (std::cmp_equal(out.size() - before, count)) return true;
  if (std::cmp_equal(summary_->best.size(), vocab_size_)) return true;
  out.resize(before);
  return false;
}

void ScoreRow::top(int count, std::vector<Candidate>& out) {
  std::vector<Candidate>& found = best_;
  found.clear();
  for (const std::int32_t token : edited_tokens_) {
    const float score = edits_[static_cast<std::size_t>(token)];
    if (score > kNever) found.push_back({score, token});
  }
  if (!only_edited_ && !summarized_top(count, found)) {
    fetch_all();
    hide_edited();
    const int selected = std::min(count, vocab_size_);
    top_values_.resize(static_cast<std::size_t>(selected));
    top_tokens_.resize(static_cast<std::size_t>(selected));
    kernels::top_k(logits_.data(), vocab_size_, selected, top_values_.data(), top_tokens_.data());
    for (std::size_t i = 0; i < top_tokens_.size(); ++i) {
      if (top_values_[i] > kNever) {
        found.push_back({top_values_[i] - shift_, top_tokens_[i]});
      }
    }
  }
  const auto kept = std::min(found.size(), static_cast<std::size_t>(count));
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(found.begin(), end, found.end(), better);
  out.assign(found.begin(), end);
}

void ScoreRow::all(std::vector<Candidate>& out) {
  out.clear();
  for (const std::int32_t token : edited_tokens_) {
    const float score = edits_[static_cast<std::size_t>(token)];
    if (score > kNever) out.push_back({score, token});
  }
  if (only_edited_) return;
  fetch_all();
  hide_edited();
  for (std::int32_t token = 0; token < vocab_size_; ++token) {
    const float logit = logits_[static_cast<std::size_t>(token)];
    if (std::isnan(logit)) not_numbers();
    if (logit > kNever) out.push_back({logit - shift_, token});
  }
}

Candidate ScoreRow::best() {
  Candidate winner{.score = kNever, .token = vocab_size_};
  if (!only_edited_) {
    std::vector<Candidate>& found = best_;
    found.clear();
    if (summarized_top(1, found)) {
      if (!found.empty()) winner = found[0];
    } else {
      fetch_all();
      hide_edited();
      const int token = kernels::argmax(logits_.data(), vocab_size_);
      const float logit = logits_[static_cast<std::size_t>(token)];
      if (std::isnan(logit)) not_numbers();
      winner = {.score = logit - shift_, .token = token};
    }
  }
  for (const std::int32_t token : edited_tokens_) {
    const Candidate edited{.score = edits_[static_cast<std::size_t>(token)], .token = token};
    if (better(edited, winner)) winner = edited;
  }
  return winner.score > kNever ? winner : Candidate{.score = kNever, .token = 0};
}

}  // namespace kobolt
