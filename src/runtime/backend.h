#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace kobolt {

/// A document that a back end has encoded and holds keys and values for.
using DocumentHandle = std::int32_t;

/// One row of a decoding step: one beam (or greedy sequence) of one document.
struct StepRow {
  DocumentHandle document = 0;
  std::int32_t token = 0;   ///< the newest token of this row
  std::int32_t parent = 0;  ///< which of this document's rows of its previous step it continues; 0
                            ///< at the document's first step
};

/// The score of a token that cannot be chosen.
inline constexpr float kNever = -std::numeric_limits<float>::infinity();

/// A token and its score.
struct Candidate {
  float score = 0;
  std::int32_t token = 0;
};

/// Best first; of equals the lowest token, so that no order depends on threads or on sorting.
inline bool better(const Candidate& a, const Candidate& b) {
  return a.score > b.score || (a.score == b.score && a.token < b.token);
}

/// What most searches need of one row's logits.
struct LogitSummary {
  float log_sum = 0;            ///< log(sum(exp(logits)))
  std::vector<Candidate> best;  ///< the largest logits, best first, lowest token first among equals
};

/// The summary of the logits of one row.
void summarize_row(std::span<const float> logits, int count, LogitSummary& summary);

/// What generation needs of whatever executes a model: the embedded CPU engine, or another.
/// Documents join and leave between steps; each has its own length and position, so nothing is
/// ever computed on padding.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  [[nodiscard]] virtual int vocab_size() const = 0;
  [[nodiscard]] virtual int max_positions() const = 0;
  /// Most tokens of a document: fewer than max_positions() where a library has fixed its shapes.
  [[nodiscard]] virtual int max_document() const { return max_positions(); }
  /// Encodes documents (1..max_document() tokens each), a handle each. `max_rows` is the most rows
  /// (beams) a document will have in a step, `max_length` the most steps it will take: what to
  /// reserve for the KV cache.
  virtual std::vector<DocumentHandle> encode(std::span<const std::vector<std::int32_t>> documents,
                                             int max_rows, int max_length) = 0;
  /// Decodes one position for every row and writes logits [rows.size(), vocab_size()], final
  /// logits bias included. Rows of one document are adjacent. Each step of a document advances
  /// its position by one.
  virtual void step(std::span<const StepRow> rows, std::span<float> logits) = 0;
  /// step() that keeps, in place of a vocabulary of logits a row, the `count` best (or all, if
  /// there are fewer) and the sum. `summaries` has one element a row. By itself it calls step().
  virtual void step_summary(std::span<const StepRow> rows, int count,
                            std::span<LogitSummary> summaries);
  /// All logits [vocab_size()] of row `row` of the newest step_summary(), before any other call.
  virtual void logits_of(std::size_t row, std::span<float> logits);
  virtual void release(DocumentHandle document) = 0;
  /// The encoder alone: hidden states of the documents one after another, [tokens, d_model],
  /// written to `hidden`. By itself it throws Error(unsupported).
  virtual void encode_hidden(std::span<const std::vector<std::int32_t>> documents, float* hidden);

 private:
  std::vector<float> logits_;  // of step_summary's own step
};

}  // namespace kobolt
