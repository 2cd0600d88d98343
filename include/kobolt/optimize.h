#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/compare.h"
#include "kobolt/compile.h"
#include "kobolt/evaluate.h"
#include "kobolt/export.h"
#include "kobolt/gate.h"
#include "kobolt/int4_rounding.h"
#include "kobolt/kv_cache.h"
#include "kobolt/model.h"
#include "kobolt/pruning_recipe.h"

namespace kobolt {

/// How a model is made into an engine and run: a point of the search.
struct Setting {
  CompileOptions compile;
  std::optional<PruningStep> pruning;     ///< before compiling
  KvCache kv_cache = KvCache::automatic;  ///< of the running engine
  int beams = 0;                          ///< 0 = the checkpoint's
  int threads = 0;                        ///< 0 = one a usable core
  int batch = 0;                          ///< documents at once; 0 = OptimizeOptions::batch
};
/// "int8, 25 % int4, decoder.layers.*=int8, structured+whole@0.1, 2 beams, KV cache int8, 1
/// thread": tells settings apart, and says only what is not as a checkpoint and its precision have
/// it.
KOBOLT_API std::string name_of(const Setting& setting);

/// What some settings are made with.
struct SettingData {
  std::vector<std::string> calibration;  ///< documents that int4 weights are rounded for
  std::vector<Example> pruning;  ///< with summaries: pruning by wanda or taylor looks at them
};

/// What the search may change. A list of one value fixes it.
struct OptimizeSpace {
  std::vector<Precision> precisions{Precision::int8, Precision::int4, Precision::fp16,
                                    Precision::bf16};  ///< in this order; fp32 is there anyway
  bool mixed = true;                                   ///< other precisions for some of the layers
  std::vector<PruningStep> prunings = default_pruning_steps();  ///< none is always tried
  std::vector<KvCache> kv_caches{KvCache::automatic, KvCache::int8};
  std::vector<int> beams{0};    ///< 0 = the checkpoint's
  std::vector<int> threads{0};  ///< 0 = one a usable core
  std::vector<int> batches{0};  ///< 0 = OptimizeOptions::batch
};

/// What the result has to meet; what is not given does not count.
struct OptimizeTargets {
  std::optional<double> keep;     ///< share of each ROUGE of the fp32 model, as GateOptions::keep
  std::optional<double> latency;  ///< seconds, p95 of a batch
  std::optional<std::uint64_t> size;    ///< bytes of the engine file
  std::optional<double> size_share;     ///< the same, as a share of the fp32 engine file
  std::optional<std::uint64_t> memory;  ///< bytes resident at most
};

/// What is best among settings that meet the targets.
enum class OptimizeFor : std::uint8_t {
  speed,    ///< documents a second; of equally fast ones (within 5 %) the smallest file
  size,     ///< the smallest file; of equally small ones the fastest
  quality,  ///< the largest share of ROUGE that is kept
};

/// How far a setting came.
enum class TrialState : std::uint8_t {
  screened,  ///< judged on a sample, and others were better
  judged,    ///< judged on all documents of the half that is searched on
  finalist,  ///< measured in turns with the others, and on the documents held back
  failed,    ///< could not be made or run: Trial::error
};

/// A setting and what was found out about it, beside the fp32 engine of the same model.
struct Trial {
  Setting setting;
  std::string name;
  TrialState state = TrialState::screened;
  std::size_t documents = 0;  ///< that `quality` is of, of the half that is searched on
  GateReport quality;
  double kept = 1;      ///< the least of the three ROUGE, as a share of the baseline's, with
  double kept_low = 1;  ///< the interval of its paired difference
  double kept_high = 1;
  /// ROUGE-L of its summaries against the fp32 engine's own, on the same documents. It says nothing
  /// of how good they are, but it is known far more exactly than `kept`: which of two settings
  /// loses less shows on a few documents.
  double fidelity = 1;
  RatioInterval speed;  ///< documents a second, times the baseline's in the same rounds
  double latency = 0;   ///< seconds, p50 of a batch
  double latency_p95 = 0;
  double throughput = 0;  ///< documents a second
  std::uint64_t file_bytes = 0;
  std::uint64_t peak_memory = 0;  ///< of a process of its own; 0 = not measured
  bool on_front = false;          ///< no other is as good in speed, size and quality
  std::string error;

  /// Of finalists: the gate on documents that the search has not seen.
  std::optional<GateReport> held_back;
};

struct OptimizeResult {
  /// First the baseline: fp32, unpruned, with the checkpoint's settings; then the chosen one, and
  /// the others, best first.
  std::vector<Trial> trials;
  /// In `trials`, or nothing where no setting meets the targets on both halves.
  std::optional<std::size_t> chosen;
  std::optional<std::size_t> closest;  ///< where nothing was chosen: what misses the targets least
  std::vector<std::size_t> refused;    ///< better ones, which did not hold on the held-back half
  std::size_t searched_documents = 0;
  std::size_t held_back_documents = 0;
  SettingData made_with;
  double seconds = 0;              ///< spent on trials, in all runs
  bool out_of_time = false;        ///< the budget ended the search before it ran out of ideas
  std::size_t resumed_trials = 0;  ///< that an earlier run had measured
};

struct OptimizeProgress {
  double seconds = 0;  ///< spent
  double budget = 0;
  std::string text;                     ///< what is under way: "screening int4, KV cache int8"
  std::optional<std::string> finished;  ///< the trial that has just been measured, in a line
};

struct OptimizeOptions {
  std::vector<Example> data;  ///< with references
  OptimizeTargets targets;
  OptimizeFor prefer = OptimizeFor::speed;
  OptimizeSpace space;
  double keep_length = GateOptions{}.keep_length;  ///< with targets.keep: share of the length
  double minutes = 10;
  int batch = 1;    ///< documents at once, of the baseline and of settings that name none
  int threads = 0;  ///< of the baseline, and of settings that name none
  RougeTokens rouge_tokens = RougeTokens::unicode;
  /// What is empty is taken from the half that is searched on: the first 512 documents for
  /// calibration, the first 64 for pruning.
  SettingData made_with;
  std::uint64_t seed = 0;  ///< of the split and of orders
  /// Every trial is kept here as soon as it is measured; an existing file of the same search goes
  /// on, one of another search is refused.
  std::filesystem::path trials;
  /// Peak resident memory of a process of its own that runs this engine file. Without it memory is
  /// not known, and a target of it is an error.
  std::function<std::uint64_t(const std::filesystem::path&, const Setting&)> peak_memory;
  std::function<void(const OptimizeProgress&)> progress;
};

/// Searches for the best way to compile and run `model` (docs/optimize.md). Throws Error for data
/// that is too small to choose and confirm on, or scores 0; options that make no sense; and where
/// the disk is full: then nothing measured is lost.
KOBOLT_API OptimizeResult optimize(const Model& model, const OptimizeOptions& options);

/// The engine file of a setting: prunes a copy of `model`, sets the beams that it generates with,
/// rounds what is to be int4 for the documents of `data` (where there are any; `options` are for
/// what looks at documents) and compiles. Returns what was rounded so and is in the engine, or null
/// where there were no documents or no int4. Throws Error; invalid_argument where pruning would
/// have to look at documents that are not there.
KOBOLT_API std::shared_ptr<const Int4Rounding> compile_setting(
    const Model& model, const Setting& setting, const std::filesystem::path& output,
    const SettingData& data = {}, const CalibrationOptions& options = {});

}  // namespace kobolt
