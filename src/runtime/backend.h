#pragma once

#include <cstdint>
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
  /// Encodes documents (1..max_positions() tokens each), a handle each. `max_rows` is the most rows
  /// (beams) a document will have in a step, `max_length` the most steps it will take: what to
  /// reserve for the KV cache.
  virtual std::vector<DocumentHandle> encode(std::span<const std::vector<std::int32_t>> documents,
                                             int max_rows, int max_length) = 0;
  /// Decodes one position for every row and writes logits [rows.size(), vocab_size()], final
  /// logits bias included. Rows of one document are adjacent. Each step of a document advances
  /// its position by one.
  virtual void step(std::span<const StepRow> rows, std::span<float> logits) = 0;
  virtual void release(DocumentHandle document) = 0;
};

}  // namespace kobolt
