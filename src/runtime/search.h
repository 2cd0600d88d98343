#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/backend.h"
#include "runtime/generate.h"
#include "runtime/generation_plan.h"
#include "runtime/score_row.h"

namespace kobolt {

/// Decoding of one document: which rows its next step needs, and what to make of their logits. A
/// search is used for one document after another and keeps its memory.
class Search {
 public:
  /// Beam search, or greedy search and sampling, as `plan` asks; `plan` must outlive it.
  static std::unique_ptr<Search> create(const GenerationPlan& plan);

  explicit Search(const GenerationPlan& plan) : plan_(plan) {}
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;
  virtual ~Search() = default;

  /// Begins a document; `index` is its place in the input, which its random numbers hang on.
  virtual void start(std::size_t index) = 0;
  /// Takes the logits [rows().size(), vocab_size] of the step, which it overwrites.
  virtual void advance(std::span<float> logits, std::span<const std::int32_t> document,
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
