#include "optimize/workbench.h"

#include <system_error>
#include <utility>

#include "optimize/prepare.h"
#include "optimize/pruning_evidence.h"

namespace kobolt {
namespace {

// Of a turn; short ones are worth more, since a round sees the machine in one state.
constexpr double kTurnSeconds = 0.05;
constexpr int kWarmupBatches = 2;

}  // namespace

Workbench::Workbench(const Model& model, const OptimizeOptions& options, const Setting& baseline,
                     std::span<const std::size_t> timed)
    : model_(model), options_(options), baseline_setting_(baseline) {
  for (const std::size_t document : timed) timed_.push_back(options.data[document].document);
}

Workbench::~Workbench() = default;

std::unique_ptr<Workbench::OpenEngine> Workbench::open(const Setting& setting) {
  const int threads = setting.threads > 0 ? setting.threads : options_.threads;
  const Model model = prepared_model(setting);
  return std::make_unique<OpenEngine>(
      OpenEngine{.name = name_of(setting),
                 .summarizer = Summarizer(model, {.threads = threads, .kv_cache = setting.kv_cache},
                                          compile_options(setting, model))});
}

Model Workbench::prepared_model(const Setting& setting) {
  if (setting.pruning) {
    collect_evidence(model_, *setting.pruning, options_.made_with.pruning,
                     {.threads = options_.threads}, evidence_);
  }
  return prepared(model_, setting, options_.threads, evidence_);
}

CompileOptions Workbench::compile_options(const Setting& setting, const Model& model) {
  CompileOptions options = setting.compile;
  if (!has_int4(setting) || options_.made_with.calibration.empty()) return options;
  auto& rounding = int4_[setting.pruning ? name_of(*setting.pruning) : ""];
  if (!rounding) {
    // All layers at once: other settings want others of them.
    rounding = std::make_shared<Int4Rounding>(round_to_int4(model, options_.made_with.calibration,
                                                            {.precision = Precision::int4},
                                                            {.threads = options_.threads}));
  }
  options.int4 = rounding;
  return options;
}

Summarizer& Workbench::engine(const Setting& setting) {
  const std::string name = name_of(setting);
  if (name == name_of(baseline_setting_)) {
    if (!baseline_) baseline_ = open(setting);
    return baseline_->summarizer;
  }
  if (!candidate_ || candidate_->name != name) {
    candidate_.reset();  // before the next one needs its memory
    candidate_ = open(setting);
  }
  return candidate_->summarizer;
}

std::uint64_t Workbench::file_bytes(const Setting& setting) {
  return engine(setting).engine_bytes();
}

std::vector<std::string> Workbench::summarize(const Setting& setting,
                                              std::span<const std::size_t> documents) {
  std::vector<std::string> texts;
  texts.reserve(documents.size());
  for (const std::size_t document : documents) texts.push_back(options_.data[document].document);
  std::vector<std::string> summaries;
  summaries.reserve(documents.size());
  for (Summary& summary : engine(setting).summarize(texts)) {
    summaries.push_back(std::move(summary.text));
  }
  return summaries;
}

std::vector<SettingTimes> Workbench::time(std::span<const Setting> settings, int rounds) {
  std::vector<std::unique_ptr<OpenEngine>> opened;
  std::vector<Contestant> contestants;
  for (const Setting& setting : settings) {
    Summarizer* summarizer = nullptr;
    if (settings.size() == 2 || &setting == settings.data()) {
      summarizer = &engine(setting);
    } else {
      opened.push_back(open(setting));
      summarizer = &opened.back()->summarizer;
    }
    contestants.push_back(
        {.summarizer = summarizer, .generation = summarizer->generation(), .batch = setting.batch});
  }
  CompareOptions compare_options{
      .work = {.batch = options_.batch, .documents = timed_, .warmup = kWarmupBatches},
      .rounds = rounds,
      .confidence = rounds >= 8 ? 0.99 : 0.8,
      .turn_seconds = kTurnSeconds,
      .seed = options_.seed};
  std::vector<SettingTimes> times;
  for (const ComparedEngine& engine : compare(contestants, compare_options).engines) {
    times.push_back({.speed = engine.speed,
                     .latency = engine.latency.p50,
                     .latency_p95 = engine.latency.p95,
                     .throughput = engine.throughput});
  }
  return times;
}

std::uint64_t Workbench::peak_memory(const Setting& setting) {
  if (!options_.peak_memory) return 0;
  std::filesystem::path file = options_.trials;
  file += ".kobolt";
  const Model model = prepared_model(setting);
  compile(model, file, compile_options(setting, model));
  std::uint64_t bytes = 0;
  std::error_code ignored;
  try {
    bytes = options_.peak_memory(file, setting);
  } catch (...) {
    std::filesystem::remove(file, ignored);
    throw;
  }
  std::filesystem::remove(file, ignored);
  return bytes;
}

}  // namespace kobolt
