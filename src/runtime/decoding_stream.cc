#include "runtime/decoding_stream.h"

#include <algorithm>
#include <utility>

#include "runtime/trace_scope.h"

namespace kobolt {
namespace {

/// Candidates of a row beyond those that a search keeps, for the few that settings forbid.
constexpr int kSpareCandidates = 4;

}  // namespace

DecodingStream::DecodingStream(Backend& backend,
                               std::span<const std::vector<std::int32_t>> documents,
                               const GenerationPlan& plan, std::size_t places,
                               WaitingDocuments& waiting,
                               std::span<std::vector<GeneratedSequence>> results,
                               const Calls& calls)
    : backend_(backend),
      documents_(documents),
      plan_(plan),
      calls_(calls),
      places_(places),
      scores_(plan.vocab_size),
      waiting_(waiting),
      results_(results) {
  const std::size_t most = std::min(places_, documents.size());
  active_.reserve(most);
  const std::size_t most_rows = most * static_cast<std::size_t>(plan.width);
  rows_.reserve(most_rows);
  // Steps then allocate nothing; a document that enters or leaves may.
  if (needs_all_logits()) {
    logits_.reserve(most_rows * static_cast<std::size_t>(plan.vocab_size));
  } else {
    summaries_.resize(most_rows);
    for (LogitSummary& summary : summaries_) summary.best.reserve(candidates());
  }
}

void DecodingStream::run() {
  while (!waiting_.stopped()) {
    admit();
    if (active_.empty()) return;
    step();
    if (calls_.stepped) calls_.stepped();
    retire();
  }
}

void DecodingStream::admit() {
  if (active_.size() == places_ || (calls_.leaving && calls_.leaving())) return;
  waiting_.take(places_ - active_.size(), places_, taken_);
  if (taken_.empty()) return;
  group_.clear();
  for (const std::size_t index : taken_) group_.push_back(documents_[index]);
  const auto handles = backend_.encode(group_, plan_.width, plan_.max_length - 1);
  for (std::size_t i = 0; i < handles.size(); ++i) {
    std::unique_ptr<Search> search =
        idle_.empty() ? Search::create(plan_) : std::move(idle_.back());
    if (!idle_.empty()) idle_.pop_back();
    search->start(taken_[i]);
    active_.push_back({taken_[i], HeldDocument(backend_, handles[i]), std::move(search)});
  }
}

void DecodingStream::step() {
  rows_.clear();
  for (Active& active : active_) {
    active.first_row = rows_.size();
    for (const Search::Row& row : active.search->rows()) {
      rows_.push_back({active.encoded.handle(), row.token, row.parent});
    }
  }
  if (needs_all_logits()) {
    step_whole();
  } else {
    step_summarized();
  }
}

bool DecodingStream::needs_all_logits() const {
  return plan_.sample || plan_.repetition_penalty != 1 || plan_.encoder_repetition_penalty != 1;
}

std::size_t DecodingStream::candidates() const {
  const int count = (plan_.num_beams > 1 ? plan_.beams_to_keep : 1) + kSpareCandidates;
  return static_cast<std::size_t>(count);
}

void DecodingStream::step_whole() {
  const auto vocab_size = static_cast<std::size_t>(plan_.vocab_size);
  if (logits_.size() < rows_.size() * vocab_size) logits_.resize(rows_.size() * vocab_size);
  const std::span<float> logits(logits_.data(), rows_.size() * vocab_size);
  backend_.step(rows_, logits);
  const TraceScope scope(calls_.trace, Phase::search);
  for (Active& active : active_) {
    const std::size_t rows = active.search->rows().size();
    active.search->advance(
        {logits.subspan(active.first_row * vocab_size, rows * vocab_size), plan_.vocab_size},
        documents_[active.index], scores_);
  }
}

void DecodingStream::step_summarized() {
  const std::span<LogitSummary> summaries(summaries_.data(), rows_.size());
  backend_.step_summary(rows_, static_cast<int>(candidates()), summaries);
  const TraceScope scope(calls_.trace, Phase::search);
  for (Active& active : active_) {
    const std::size_t rows = active.search->rows().size();
    active.search->advance({summaries.subspan(active.first_row, rows), backend_, active.first_row},
                           documents_[active.index], scores_);
  }
}

void DecodingStream::retire() {
  for (Active& active : active_) {
    if (!active.search->done()) continue;
    results_[active.index] = active.search->results();
    idle_.push_back(std::move(active.search));
  }
  const std::size_t before = active_.size();
  std::erase_if(active_, [](const Active& active) { return active.search == nullptr; });
  for (std::size_t i = active_.size(); i < before; ++i) {
    if (calls_.finished) calls_.finished();
  }
}

}  // namespace kobolt
