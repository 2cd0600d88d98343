#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/backend.h"
#include "runtime/generated_sequence.h"
#include "runtime/generation_plan.h"
#include "runtime/score_row.h"

namespace kobolt {

/// What a step left of the logits of one document's rows.
class StepLogits {
 public:
  /// Whole logits [rows, vocab_size], which the search may overwrite.
  StepLogits(std::span<float> logits, int vocab_size) : logits_(logits), vocab_size_(vocab_size) {}
  /// Summaries of the rows from `first_row` on of the newest step_summary() of `backend`.
  StepLogits(std::span<const LogitSummary> summaries, Backend& backend, std::size_t first_row)
      : summaries_(summaries), backend_(&backend), first_row_(first_row) {}

  /// Starts `scores` over with row `row`.
  void read(std::size_t row, ScoreRow& scores, ScoreRow::Scale scale) const {
    if (backend_ != nullptr) {
      scores.reset(summaries_[row], *backend_, first_row_ + row, scale);
    } else {
      const auto size = static_cast<std::size_t>(vocab_size_);
      scores.reset(logits_.subspan(row * size, size), scale);
    }
  }

 private:
  std::span<float> logits_;
  int vocab_size_ = 0;
  std::span<const LogitSummary> summaries_;
  Backend* backend_ = nullptr;
  std::size_t first_row_ = 0;
};

/// Decoding of one document: which rows its next step needs, and what to make of their logits. A
/// search is used for one document after another and keeps its memory.
class Search {
 public:
  /// Beam search, or greedy search and sampling, as `plan` asks; `plan` must outlive it.
  static std::unique_ptr<Search> create(const GenerationPlan& plan);

  explicit Search(const GenerationPlan& plan) : plan_(plan) {
    rows_.reserve(static_cast<std::size_t>(plan.width));
  }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;
  virtual ~Search() = default;

  /// Begins a document; `index` is its place in the input, which its random numbers hang on.
  virtual void start(std::size_t index) = 0;
  /// Takes the logits of rows() in the step.
  virtual void advance(const StepLogits& logits, std::span<const std::int32_t> document,
                       ScoreRow& scores) = 0;
  [[nodiscard]] virtual std::vector<GeneratedSequence> results() const = 0;

  [[nodiscard]] bool done() const { return done_; }
  /// One row of the next step: a token, and the row of the previous step that it continues.
  struct Row {
    std::int32_t token = 0;
    std::int32_t parent = 0;
    bool operator==(const Row&) const = default;
  };
  /// Equal sequences share a row: all of them at the first step.
  [[nodiscard]] std::span<const Row> rows() const { return rows_; }

 protected:
  void clear_rows() { rows_.clear(); }
  /// Index of the row that continues `parent` with `token`, added where there is none yet.
  std::size_t row_of(std::int32_t token, std::size_t parent);

  const GenerationPlan& plan_;
  bool done_ = false;

 private:
  std::vector<Row> rows_;
};

}  // namespace kobolt
