#include "runtime/cohorts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "kobolt/error.h"
#include "runtime/generate.h"
#include "runtime/table_backend.h"

// Cohorts over a table of logits give what the table gives by itself: rows, parents and documents
// arrive where they belong, whatever comes and goes.
namespace kobolt {
namespace {

class TableCohort : public Cohort {
 public:
  TableCohort(TableBackend& table, std::span<const std::vector<std::int32_t>> documents,
              int max_rows, int max_length)
      : Cohort(TableBackend::kVocabulary),
        table_(table),
        handles_(table.encode(documents, max_rows, max_length)),
        first_rows_(documents.size()) {}
  ~TableCohort() override {
    for (const DocumentHandle handle : handles_) table_.release(handle);
  }

  void step(std::span<const CohortRow> rows, int position, std::span<float> logits) override {
    EXPECT_EQ(position, steps_++);
    std::vector<StepRow> own;
    std::vector<int> first_rows(first_rows_.size(), -1);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto document = static_cast<std::size_t>(rows[i].document);
      if (first_rows[document] < 0) first_rows[document] = static_cast<int>(i);
      const int parent = position == 0 ? 0 : rows[i].parent - first_rows_[document];
      own.push_back({.document = handles_[document], .token = rows[i].token, .parent = parent});
    }
    first_rows_ = first_rows;
    table_.step(own, logits);
  }

 private:
  TableBackend& table_;
  std::vector<DocumentHandle> handles_;
  std::vector<int> first_rows_;
  int steps_ = 0;
};

class TableCohorts : public CohortBackend {
 public:
  explicit TableCohorts(std::size_t most)
      : CohortBackend(TableBackend::kVocabulary, TableBackend::kPositions), most_(most) {}
  [[nodiscard]] int held() const { return table_.held(); }
  int starts = -1;  // cohorts until one fails; negative: none does

 protected:
  std::unique_ptr<Cohort> start(std::span<const std::vector<std::int32_t>> documents, int max_rows,
                                int max_length) override {
    EXPECT_LE(documents.size(), most_);
    if (starts-- == 0) throw std::runtime_error("no memory");
    return std::make_unique<TableCohort>(table_, documents, max_rows, max_length);
  }
  [[nodiscard]] std::size_t most_documents(int /*max_rows*/) const override { return most_; }

 private:
  TableBackend table_;
  std::size_t most_;
};

std::vector<std::vector<std::int32_t>> table_documents() {
  std::vector<std::vector<std::int32_t>> documents;
  for (int i = 0; i < 23; ++i) {
    std::vector<std::int32_t>& document = documents.emplace_back();
    for (int j = 0; j <= (i * 7) % 19; ++j) document.push_back((i * 5 + j * 3) % 40 + 4);
  }
  return documents;
}

TEST(Cohorts, GiveWhatTheirDocumentsGiveAlone) {
  const auto documents = table_documents();
  for (const int beams : {1, 3}) {
    GenerationConfig config;
    config.num_beams = beams;
    config.max_new_tokens = 12;
    config.decoder_start_token_id = 2;
    config.eos_token_id = {2};
    config.pad_token_id = 1;
    for (const double penalty : {1.0, 1.3}) {  // with a penalty all logits are asked for
      config.repetition_penalty = penalty;
      TableBackend table;
      const auto expected = generate(table, documents, config, {.max_rows = 64});
      for (const std::size_t most : {1U, 4U, 100U}) {
        for (const int rows : {3, 10, 64}) {
          TableCohorts cohorts(most);
          const auto found = generate(cohorts, documents, config, {.max_rows = rows});
          EXPECT_EQ(cohorts.held(), 0);
          for (std::size_t i = 0; i < documents.size(); ++i) {
            EXPECT_EQ(found[i].front().tokens, expected[i].front().tokens)
                << beams << " beams, " << rows << " rows, document " << i;
          }
        }
      }
    }
  }
}

TEST(Cohorts, HoldNothingWhenOneOfThemFails) {
  TableCohorts cohorts(4);
  cohorts.starts = 2;
  EXPECT_THROW((void)cohorts.encode(table_documents(), 1, 5), std::runtime_error);
  EXPECT_EQ(cohorts.held(), 0);
}

TEST(Cohorts, RefuseDocumentsOfTheWrongLength) {
  TableCohorts cohorts(4);
  const std::vector<std::vector<std::int32_t>> empty(1);
  EXPECT_THROW((void)cohorts.encode(empty, 1, 5), Error);
  const std::vector<std::vector<std::int32_t>> too_long{
      std::vector<std::int32_t>(TableBackend::kPositions + 1, 5)};
  EXPECT_THROW((void)cohorts.encode(too_long, 1, 5), Error);
  std::vector<float> hidden(1);
  EXPECT_THROW(cohorts.encode_hidden(empty, hidden.data()), Error);
}

}  // namespace
}  // namespace kobolt
