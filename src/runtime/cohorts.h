#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/backend.h"

namespace kobolt {

/// One row of a cohort's step.
struct CohortRow {
  int document = 0;  ///< of the cohort, from 0
  std::int32_t token = 0;
  int parent = 0;  ///< row of the cohort's step before that it continues; meaningless in the first
};

/// Documents that were encoded together, and so stand at one position: what libraries that compute
/// on padded batches can work with. Rows leave when their document is done.
class Cohort {
 public:
  Cohort() = default;
  Cohort(const Cohort&) = delete;
  Cohort& operator=(const Cohort&) = delete;
  virtual ~Cohort() = default;

  /// Decodes `position`, 0 in the first step, for every row and writes logits [rows, vocabulary].
  virtual void step(std::span<const CohortRow> rows, int position, std::span<float> logits) = 0;
  /// The same, of each row keeping what Backend::step_summary does. By itself it calls step().
  virtual void step_summary(std::span<const CohortRow> rows, int position, int count,
                            std::span<LogitSummary> summaries);
  /// All logits of row `row` of the newest step_summary(); their number is the vocabulary's.
  virtual void logits_of(std::size_t row, std::span<float> logits);

 protected:
  explicit Cohort(int vocab_size) : vocab_size_(vocab_size) {}

 private:
  int vocab_size_ = 0;
  std::vector<float> logits_;  // of step_summary's own step
};

/// A back end whose documents come and go in cohorts: those of one encode(), or of a part of it.
/// Every document that is not released takes part in every step.
class CohortBackend : public Backend {
 public:
  CohortBackend(int vocab_size, int max_positions)
      : vocab_size_(vocab_size), max_positions_(max_positions) {}

  [[nodiscard]] int vocab_size() const override { return vocab_size_; }
  [[nodiscard]] int max_positions() const override { return max_positions_; }
  std::vector<DocumentHandle> encode(std::span<const std::vector<std::int32_t>> documents,
                                     int max_rows, int max_length) override;
  void step(std::span<const StepRow> rows, std::span<float> logits) override;
  void step_summary(std::span<const StepRow> rows, int count,
                    std::span<LogitSummary> summaries) override;
  void logits_of(std::size_t row, std::span<float> logits) override;
  void release(DocumentHandle document) override;

 protected:
  /// Encodes documents, checked to have 1 to max_document() tokens each.
  virtual std::unique_ptr<Cohort> start(std::span<const std::vector<std::int32_t>> documents,
                                        int max_rows, int max_length) = 0;
  /// Most documents of a cohort when each has up to `max_rows` rows. At least 1.
  [[nodiscard]] virtual std::size_t most_documents(int max_rows) const = 0;

 private:
  struct Active {
    std::unique_ptr<Cohort> cohort;
    int position = 0;
    int documents = 0;                 // not released
    std::vector<CohortRow> rows;       // of the step in progress
    std::vector<std::size_t> indices;  // where they stand in it
  };
  struct State {
    int cohort = -1;
    int document = 0;   // in the cohort
    int first_row = 0;  // in the cohort's newest step
  };

  /// Deals the rows out to their cohorts, and calls `run` for each that has any.
  template <typename Run>
  void deal(std::span<const StepRow> rows, Run run);
  /// A handle more for each document of a cohort that was started.
  void add_cohort(std::unique_ptr<Cohort> cohort, std::size_t documents,
                  std::vector<DocumentHandle>& handles);
  int place_for(std::unique_ptr<Cohort> cohort);

  int vocab_size_;
  int max_positions_;
  std::vector<Active> cohorts_;
  std::vector<State> states_;                       // by handle; cohort -1: free
  std::vector<std::pair<int, std::size_t>> where_;  // cohort and row of each row of a step
  std::vector<float> part_logits_;                  // of a cohort
  std::vector<LogitSummary> part_summaries_;
};

}  // namespace kobolt
