#include "runtime/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <numeric>
#include <utility>

#include "kobolt/error.h"
#include "runtime/generation_plan.h"
#include "runtime/score_row.h"
#include "runtime/search.h"
#include "runtime/trace_scope.h"

namespace kobolt {
namespace {

using Tokens = std::vector<std::int32_t>;

/// Encoder tokens that fill the machine well: entering documents are collected up to this many,
/// so that short ones are not encoded one by one as places get free.
constexpr std::size_t kGroupTokens = 512;

/// Candidates of a row beyond those that a search keeps, for the few that settings forbid.
constexpr int kSpareCandidates = 4;

/// A document that the back end holds, for as long as this lives.
class Encoded {
 public:
  Encoded(Backend& backend, DocumentHandle handle) : backend_(&backend), handle_(handle) {}
  Encoded(Encoded&& other) noexcept
      : backend_(std::exchange(other.backend_, nullptr)), handle_(other.handle_) {}
  Encoded& operator=(Encoded&& other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Encoded() {
    if (backend_ == nullptr) return;
    try {
      backend_->release(handle_);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
      // Whatever was wrong with the back end has been or will be told by encode() or step().
    }
  }

  [[nodiscard]] DocumentHandle handle() const { return handle_; }

 private:
  Backend* backend_;
  DocumentHandle handle_;
};

/// Documents in and out of the batch, one step after another.
class Scheduler {
 public:
  Scheduler(Backend& backend, std::span<const Tokens> documents, const GenerationPlan& plan,
            const GenerateOptions& options)
      : backend_(backend),
        documents_(documents),
        plan_(plan),
        options_(options),
        places_(static_cast<std::size_t>(std::max(1, options.max_rows / plan.width))),
        scores_(plan.vocab_size),
        results_(documents.size()),
        waiting_(documents.size()) {
    std::iota(waiting_.begin(), waiting_.end(), std::size_t{0});
    // Longest first, and taken from the back: late in the run only short ones are left, and the
    // documents of a group are of like length.
    std::ranges::stable_sort(waiting_, [&](std::size_t a, std::size_t b) {
      return documents_[a].size() < documents_[b].size();
    });
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

  std::vector<std::vector<GeneratedSequence>> run() {
    while (!waiting_.empty() || !active_.empty()) {
      admit();
      step();
      if (options_.on_step) options_.on_step();
      retire();
    }
    return std::move(results_);
  }

 private:
  struct Active {
    std::size_t index;
    Encoded encoded;
    std::unique_ptr<Search> search;
    std::size_t first_row = 0;
  };

  void admit() {
    const std::size_t count = std::min(places_ - active_.size(), waiting_.size());
    if (count == 0) return;
    group_.clear();
    std::size_t tokens = 0;
    for (std::size_t i = 0; i < count; ++i) {
      group_.push_back(documents_[waiting_[waiting_.size() - 1 - i]]);
      tokens += group_.back().size();
    }
    // Few and small: another step may free more places. Never idle, though: decoding rows share
    // the cost of reading the weights, so a quarter of the places is the most that stays empty.
    const bool worthwhile = tokens >= kGroupTokens || 4 * count >= places_ ||
                            count == waiting_.size() || active_.empty();
    if (!worthwhile) return;

    const auto handles = backend_.encode(group_, plan_.width, plan_.max_length - 1);
    for (const DocumentHandle handle : handles) {
      std::unique_ptr<Search> search =
          idle_.empty() ? Search::create(plan_) : std::move(idle_.back());
      if (!idle_.empty()) idle_.pop_back();
      search->start(waiting_.back());
      active_.push_back({waiting_.back(), Encoded(backend_, handle), std::move(search)});
      waiting_.pop_back();
    }
  }

  void step() {
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

  /// Sampling looks at every token, and penalties at the scores of many. Settings that only forbid
  /// tokens leave most of a row's best alone.
  [[nodiscard]] bool needs_all_logits() const {
    return plan_.sample || plan_.repetition_penalty != 1 || plan_.encoder_repetition_penalty != 1;
  }

  /// How many of a row's best a summary names.
  [[nodiscard]] std::size_t candidates() const {
    const int count = (plan_.num_beams > 1 ? plan_.beams_to_keep : 1) + kSpareCandidates;
    return static_cast<std::size_t>(count);
  }

  void step_whole() {
    const auto vocab_size = static_cast<std::size_t>(plan_.vocab_size);
    if (logits_.size() < rows_.size() * vocab_size) logits_.resize(rows_.size() * vocab_size);
    const std::span<float> logits(logits_.data(), rows_.size() * vocab_size);
    backend_.step(rows_, logits);
    const TraceScope scope(options_.trace, Phase::search);
    for (Active& active : active_) {
      const std::size_t rows = active.search->rows().size();
      active.search->advance(
          {logits.subspan(active.first_row * vocab_size, rows * vocab_size), plan_.vocab_size},
          documents_[active.index], scores_);
    }
  }

  void step_summarized() {
    const std::span<LogitSummary> summaries(summaries_.data(), rows_.size());
    backend_.step_summary(rows_, static_cast<int>(candidates()), summaries);
    const TraceScope scope(options_.trace, Phase::search);
    for (Active& active : active_) {
      const std::size_t rows = active.search->rows().size();
      active.search->advance(
          {summaries.subspan(active.first_row, rows), backend_, active.first_row},
          documents_[active.index], scores_);
    }
  }

  void retire() {
    for (Active& active : active_) {
      if (!active.search->done()) continue;
      results_[active.index] = active.search->results();
      idle_.push_back(std::move(active.search));
    }
    const std::size_t before = active_.size();
    std::erase_if(active_, [](const Active& active) { return active.search == nullptr; });
    for (std::size_t i = active_.size(); i < before; ++i) {
      ++done_;
      if (options_.progress) options_.progress(done_);
    }
  }

  Backend& backend_;
  std::span<const Tokens> documents_;
  const GenerationPlan& plan_;
  const GenerateOptions& options_;
  std::size_t places_;  // documents at once
  ScoreRow scores_;
  std::vector<std::vector<GeneratedSequence>> results_;
  std::size_t done_ = 0;

  std::vector<std::size_t> waiting_;
  std::vector<Active> active_;
  std::vector<std::unique_ptr<Search>> idle_;
  std::vector<Tokens> group_;
  std::vector<StepRow> rows_;
  std::vector<float> logits_;
  std::vector<LogitSummary> summaries_;
};

void check_documents(std::span<const Tokens> documents, int most) {
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::size_t size = documents[i].size();
    if (size > 0 && size <= static_cast<std::size_t>(most)) continue;
    throw Error(ErrorKind::invalid_argument, "the model cannot read a document of this length",
                {.field = fmt::format("document {}", i + 1),
                 .found = fmt::format("{} tokens", size),
                 .expected = fmt::format("1 to {}", most)});
  }
}

}  // namespace

std::vector<std::vector<GeneratedSequence>> generate(Backend& backend,
                                                     std::span<const Tokens> documents,
                                                     const GenerationConfig& config,
                                                     const GenerateOptions& options) {
  const GenerationPlan plan =
      make_generation_plan(config, backend.vocab_size(), backend.max_positions());
  check_documents(documents, backend.max_document());
  if (options.max_rows < 1) {
    throw Error(
        ErrorKind::invalid_argument, "a step needs rows",
        {.field = "max_rows", .found = fmt::to_string(options.max_rows), .expected = "1 or more"});
  }
  return Scheduler(backend, documents, plan, options).run();
}

}  // namespace kobolt
