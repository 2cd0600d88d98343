#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kobolt/export.h"
#include "kobolt/prune.h"
#include "kobolt/summarizer.h"

namespace kobolt {

struct BenchmarkOptions {
  int batch = 1;        ///< documents at once; under `rate`, the most that are taken together
  int sequence = 512;   ///< tokens of each document of random ids
  int beams = 4;        ///< of documents of random ids
  int new_tokens = 64;  ///< exactly this many are generated for a document of random ids
  bool encoder_only = false;

  /// Texts in place of random ids: batches of them in this order, over and over. They pass the
  /// tokenizer both ways and end where the model ends them.
  std::vector<std::string> documents;
  std::optional<GenerationConfig> generation;  ///< for `documents`; without it the checkpoint's

  int iterations = 100;  ///< batches to time; under `rate`, documents
  double seconds = 0;    ///< above 0: as many batches as end within this time, in place of them
  int warmup = 10;       ///< batches before the clock starts
  /// Documents a second that arrive by a Poisson process, whether the engine is ready or not: an
  /// open loop. 0 is the closed loop: a batch starts when the one before has ended.
  double rate = 0;
  std::uint64_t seed = 0;  ///< of the random ids and of the arrivals
  std::function<void(const Progress&)> progress;
};

/// A sample of times in seconds. Percentiles are interpolated between neighbouring ranks.
struct TimeSummary {
  std::size_t count = 0;
  double average = 0;
  double deviation = 0;  ///< sample standard deviation; 0 for one time
  double p50 = 0;
  double p90 = 0;
  double p95 = 0;
  double p99 = 0;
  double min = 0;
  double max = 0;
};
/// All zero for no times.
KOBOLT_API TimeSummary summarize_times(std::vector<double> times);

/// What an open loop adds.
struct LoadSummary {
  double rate = 0;           ///< documents a second that were asked for
  TimeSummary waiting;       ///< from a document's arrival to the start of its batch
  double mean_batch = 0;     ///< documents taken together
  std::size_t queued = 0;    ///< most documents that had arrived and were waiting
  std::size_t unserved = 0;  ///< had not started at twice the time budget, and were left
  /// The engine fell behind: latencies then grow for as long as the measurement runs and say
  /// nothing but that.
  bool overloaded = false;
};

struct MemoryUse {
  std::uint64_t engine = 0;         ///< bytes of the engine file, or of its image in memory
  std::uint64_t weights = 0;        ///< of them, matrices, norms and biases
  std::uint64_t kv_cache = 0;       ///< keys and values held for decoding
  std::uint64_t peak_resident = 0;  ///< of the whole process, since it started
};

/// A GPU as NVIDIA's management library sees it; all processes on it count.
struct GpuUse {
  std::string name;
  std::size_t samples = 0;            ///< that the figures are of
  std::optional<double> utilization;  ///< share of time with a kernel running, 0 to 1, in the mean
  std::uint64_t memory = 0;           ///< most bytes in use
  std::optional<double> power;        ///< watts, in the mean
  std::uint64_t memory_all = 0;       ///< bytes that it has
  std::string error;  ///< why it answered no longer, in NVML's words: figures are of before that
};

struct BenchmarkResult {
  /// Closed loop: of a batch. Open loop: of a document, from its arrival to its summary.
  TimeSummary latency;
  std::optional<TimeSummary> first_token;  ///< the same, to the first token; nothing for encoders
  std::optional<TimeSummary> per_token;    ///< between one token of a document and the next
  double throughput = 0;                   ///< documents a second
  double tokens_per_second = 0;            ///< generated tokens; encoder tokens when encoder_only
  double cores = 0;                        ///< processor time of this process over the clock's
  /// From the start of the process to the first token of the first batch to warm up: a cold start
  /// where nothing ran before. 0 without warm-up, for encoders and where the system does not tell.
  double cold_first_token = 0;
  MemoryUse memory;
  std::optional<LoadSummary> load;  ///< of an open loop
  std::vector<GpuUse> gpus;         ///< empty without NVML
  std::vector<double> times;        ///< what `latency` sums up
};

/// Most resident memory that this process has had so far, bytes.
KOBOLT_API std::uint64_t peak_memory();

/// Measures `summarizer` (docs/measuring.md). Throws Error for sizes that the model does not have
/// and options that make no sense.
KOBOLT_API BenchmarkResult benchmark(Summarizer& summarizer, const BenchmarkOptions& options);

struct UnitTimingOptions {
  BenchmarkOptions work;  ///< one iteration of it is timed; iterations and warmup do not matter
  CompileOptions compile;
  EngineOptions engine;
  int rounds = 9;
  std::function<void(const Progress&)> progress;  ///< rounds
};

/// What one head or ffn neuron costs on this machine, in seconds of `work`, and what the whole
/// model takes: of each kind of block (self-attention, cross-attention and ffn of encoder and
/// decoder) half of the units are removed from a copy, and both are compiled and timed in turn.
/// Their median difference is what the removed units cost; 0 where that is below 0. Throws Error.
KOBOLT_API UnitCosts measure_unit_costs(const Model& model, const UnitTimingOptions& options);

struct ProvenCosts {
  UnitCosts costs;
  double saved = 0;  ///< share of the whole model's time that the last trial saved
};

/// Costs by which `amount` of the time really goes. Units that vanish together save less, or more,
/// than each on its own: a copy is pruned by these costs (global_unit_pruning), made permanent and
/// timed in turn with the model, and all costs are scaled by what that saved over what was asked
/// for; up to three times, until it is within a tenth of `amount`. Throws Error, also where units
/// turn out to cost too little together.
KOBOLT_API ProvenCosts prove_unit_costs(const Model& model, double amount,
                                        const UnitTimingOptions& options, UnitCosts costs,
                                        PruningNorm norm = PruningNorm::l2,
                                        const PruningTargets& targets = {});

}  // namespace kobolt
