#include "runtime/cohorts.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

#include "kobolt/error.h"

namespace kobolt {

void Cohort::step_summary(std::span<const CohortRow> rows, int position, int count,
                          std::span<LogitSummary> summaries) {
  const auto vocabulary = static_cast<std::size_t>(vocab_size_);
  logits_.resize(rows.size() * vocabulary);
  step(rows, position, logits_);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    summarize_row(std::span(logits_).subspan(row * vocabulary, vocabulary), count, summaries[row]);
  }
}

void Cohort::logits_of(std::size_t row, std::span<float> logits) {
  const auto from = logits_.begin() + static_cast<std::ptrdiff_t>(row * logits.size());
  std::copy_n(from, logits.size(), logits.begin());
}

std::vector<DocumentHandle> CohortBackend::encode(
    std::span<const std::vector<std::int32_t>> documents, int max_rows, int max_length) {
  for (const auto& document : documents) {
    if (!document.empty() && std::cmp_less_equal(document.size(), max_document())) continue;
    throw Error(ErrorKind::invalid_argument, "a document of the wrong length",
                {.field = "tokens",
                 .found = std::to_string(document.size()),
                 .expected = "1 to " + std::to_string(max_document())});
  }
  std::vector<DocumentHandle> handles;
  const std::size_t most = most_documents(max_rows);
  try {
    for (std::size_t at = 0; at < documents.size(); at += most) {
      const auto part = documents.subspan(at, std::min(most, documents.size() - at));
      add_cohort(start(part, max_rows, max_length), part.size(), handles);
    }
  } catch (...) {
    for (const DocumentHandle handle : handles) release(handle);
    throw;
  }
  return handles;
}

void CohortBackend::add_cohort(std::unique_ptr<Cohort> cohort, std::size_t documents,
                               std::vector<DocumentHandle>& handles) {
  const int place = place_for(std::move(cohort));
  cohorts_[static_cast<std::size_t>(place)].documents = static_cast<int>(documents);
  for (std::size_t i = 0; i < documents; ++i) {
    auto free = std::ranges::find(states_, -1, &State::cohort);
    if (free == states_.end()) free = states_.insert(states_.end(), State{});
    *free = {.cohort = place, .document = static_cast<int>(i)};
    handles.push_back(static_cast<DocumentHandle>(free - states_.begin()));
  }
}

int CohortBackend::place_for(std::unique_ptr<Cohort> cohort) {
  auto free = std::ranges::find_if(cohorts_, [](const Active& one) { return !one.cohort; });
  if (free == cohorts_.end()) {
    cohorts_.emplace_back();
    free = cohorts_.end() - 1;
  }
  free->cohort = std::move(cohort);
  free->position = 0;
  return static_cast<int>(free - cohorts_.begin());
}

template <typename Run>
void CohortBackend::deal(std::span<const StepRow> rows, Run run) {
  where_.clear();
  for (Active& active : cohorts_) {
    active.rows.clear();
    active.indices.clear();
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    State& state = states_[static_cast<std::size_t>(rows[i].document)];
    Active& active = cohorts_[static_cast<std::size_t>(state.cohort)];
    const int row = static_cast<int>(active.rows.size());
    where_.emplace_back(state.cohort, active.rows.size());
    active.rows.push_back({.document = state.document,
                           .token = rows[i].token,
                           .parent = state.first_row + rows[i].parent});
    active.indices.push_back(i);
    const bool last_of_document = i + 1 == rows.size() || rows[i + 1].document != rows[i].document;
    if (!last_of_document) continue;
    // Parents of the next step count from here.
    int first = row;
    while (first > 0 &&
           active.rows[static_cast<std::size_t>(first) - 1].document == state.document) {
      --first;
    }
    state.first_row = first;
  }
  for (Active& active : cohorts_) {
    if (active.rows.empty()) continue;
    run(active);
    ++active.position;
  }
}

void CohortBackend::step(std::span<const StepRow> rows, std::span<float> logits) {
  const auto vocabulary = static_cast<std::size_t>(vocab_size());
  deal(rows, [&](Active& active) {
    part_logits_.resize(active.rows.size() * vocabulary);
    active.cohort->step(active.rows, active.position, part_logits_);
    for (std::size_t row = 0; row < active.rows.size(); ++row) {
      std::copy_n(&part_logits_[row * vocabulary], vocabulary,
                  &logits[active.indices[row] * vocabulary]);
    }
  });
}

void CohortBackend::step_summary(std::span<const StepRow> rows, int count,
                                 std::span<LogitSummary> summaries) {
  deal(rows, [&](Active& active) {
    part_summaries_.resize(active.rows.size());
    active.cohort->step_summary(active.rows, active.position, count, part_summaries_);
    for (std::size_t row = 0; row < active.rows.size(); ++row) {
      std::swap(summaries[active.indices[row]], part_summaries_[row]);
    }
  });
}

void CohortBackend::logits_of(std::size_t row, std::span<float> logits) {
  const auto [cohort, own_row] = where_[row];
  cohorts_[static_cast<std::size_t>(cohort)].cohort->logits_of(own_row, logits);
}

void CohortBackend::release(DocumentHandle document) {
  State& state = states_[static_cast<std::size_t>(document)];
  assert(state.cohort >= 0);
  Active& active = cohorts_[static_cast<std::size_t>(state.cohort)];
  if (--active.documents == 0) active.cohort.reset();
  state = {};
}

}  // namespace kobolt
