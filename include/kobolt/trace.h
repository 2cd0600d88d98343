#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kobolt/export.h"

namespace kobolt {

/// What part of making a summary time was spent in.
enum class Phase : std::uint8_t {
  tokenize,    ///< texts to ids
  encode,      ///< documents through the encoder, keys and values for the decoder
  decode,      ///< steps of the decoder
  search,      ///< choosing beams from what a step says
  detokenize,  ///< ids to texts
};
KOBOLT_API std::string_view name_of(Phase phase);

/// What an operation's products are made of: floats, pairs of bfloat16 or of int16, or quadruples
/// of bytes. Each has a limit of its own.
enum class Arithmetic { fp32, bf16, pairs, bytes };

/// Operations and bytes that an operator cannot do without, however it is computed.
struct Cost {
  double operations = 0;  ///< multiplications and additions
  Arithmetic arithmetic = Arithmetic::fp32;
  double bytes = 0;  ///< weights, cached keys and values, and rows read and written
};

/// A stretch of time of the thread that called the Summarizer; others work within it.
struct TraceEvent {
  Phase phase = Phase::encode;
  const char* name = "";  ///< of the operator; "" for a stretch of the whole phase around them
  int layer = -1;         ///< below 0: belongs to none
  Cost cost;
  double begin = 0;  ///< seconds since the trace was made
  double end = 0;
};

/// A record of what a Summarizer did and when (Summarizer::set_trace). Events are in the order of
/// their beginnings. Not thread-safe, as the Summarizer.
class KOBOLT_API Trace {
 public:
  Trace();

  [[nodiscard]] const std::vector<TraceEvent>& events() const { return events_; }
  /// Forgets the events, keeping their memory.
  void clear() { events_.clear(); }

  /// Starts an event and returns its index for end(); no time before or after counts as its.
  std::size_t begin(Phase phase, const char* name, int layer, const Cost& cost);
  void end(std::size_t event);

 private:
  [[nodiscard]] double now() const;

  double origin_;
  std::vector<TraceEvent> events_;
};

}  // namespace kobolt
