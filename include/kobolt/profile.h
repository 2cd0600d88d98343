#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kobolt/compare.h"
#include "kobolt/export.h"
#include "kobolt/summarizer.h"
#include "kobolt/trace.h"

namespace kobolt {

/// What the machine can do at most, all threads together: operations and bytes a second.
struct MachineCeilings {
  double fp32 = 0;
  double bf16 = 0;   ///< by vdpbf16ps; 0 where the processor lacks it
  double pairs = 0;  ///< of int16
  double bytes = 0;  ///< by vpdpbusd; 0 where the processor lacks it
  double read = 0;   ///< from memory, past any cache

  [[nodiscard]] double operations(Arithmetic arithmetic) const {
    if (arithmetic == Arithmetic::fp32) return fp32;
    if (arithmetic == Arithmetic::bf16) return bf16 > 0 ? bf16 : fp32;
    if (arithmetic == Arithmetic::pairs) return pairs;
    // Without vpdpbusd, vpmaddubsw and vpaddw: like vpmaddwd and vpaddd, with twice the lanes.
    return bytes > 0 ? bytes : 2 * pairs;
  }
};

/// Measures them, which takes a second; threads: 0 = one a core that this process may use. Nothing
/// where that cannot be done: it takes x86-64 with AVX2 and FMA.
KOBOLT_API std::optional<MachineCeilings> machine_ceilings(int threads);

struct ProfileOptions {
  /// The work of a batch, how many to trace (iterations) and to warm up. Rate and seconds do not
  /// count.
  BenchmarkOptions work;
  /// Nothing is said of the machine's limit without them.
  std::optional<MachineCeilings> ceilings;
};

/// Time and work of an operator, a layer or a phase; all figures are means of a batch.
struct ProfileEntry {
  Phase phase = Phase::encode;
  std::string name;  ///< of the operator; empty for sums over all
  int layer = -1;    ///< below 0: belongs to none, or a sum over all
  double calls = 0;
  double seconds = 0;
  double operations = 0;
  double bytes = 0;
  /// The least time that the ceilings allow for the arithmetic, and for the bytes if all come from
  /// memory; 0 without ceilings.
  double least_arithmetic = 0;
  double least_reading = 0;
  double least = 0;  ///< the longer of the two, added up call by call

  /// Share of the machine's limit that was reached: the least time over the seconds. Above 1 where
  /// bytes came from a cache.
  [[nodiscard]] double share_of_ceiling() const;
};

struct Profile {
  int batches = 0;
  double seconds = 0;                   ///< of a traced batch
  RatioInterval overhead;               ///< traced batches over untraced ones, in turns
  std::vector<ProfileEntry> phases;     ///< in the order of Phase, those that took time
  std::vector<ProfileEntry> operators;  ///< over all layers, the longest first
  std::vector<ProfileEntry> layers;     ///< over all operators, in order
  std::vector<ProfileEntry> details;    ///< each operator of each layer
  std::string bottleneck;               ///< in a sentence
  std::vector<std::string> advice;      ///< what would help, the most promising first
  std::vector<TraceEvent> events;       ///< of the last batch
};

/// Runs batches with and without a trace in turns. Throws Error as benchmark() does.
KOBOLT_API Profile profile(Summarizer& summarizer, const ProfileOptions& options);

/// Events in the JSON that chrome://tracing and ui.perfetto.dev open.
KOBOLT_API std::string chrome_trace(std::span<const TraceEvent> events);

}  // namespace kobolt
