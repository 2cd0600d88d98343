#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/machine.h"
#include "evaluate/dataset_hash.h"
#include "kobolt/doctor.h"
#include "kobolt/error.h"
#include "kobolt/version.h"
#include "optimize/search.h"
#include "optimize/space.h"
#include "optimize/trial_runner.h"
#include "optimize/workbench.h"

namespace kobolt {
namespace {

// Documents that speed is measured with; over and over, in this order.
constexpr std::size_t kTimedDocuments = 64;
// Documents that a setting is made with where the caller has no others. Derivatives take three
// times as long as summaries, and over whole heads and neurons few documents say as much as many.
constexpr std::size_t kOwnCalibration = 512;
constexpr std::size_t kOwnPruning = 64;

[[noreturn]] void refuse_option(const char* field, const std::string& found,
                                const std::string& expected) {
  throw Error(ErrorKind::invalid_argument, "out of range",
              {.field = field, .found = found, .expected = expected});
}

void check_options(const OptimizeOptions& options) {
  if (!(options.minutes > 0 && std::isfinite(options.minutes))) {
    refuse_option("minutes", fmt::format("{}", options.minutes), "above 0");
  }
  if (options.batch < 1) refuse_option("batch", std::to_string(options.batch), "1 or more");
  const OptimizeSpace& space = options.space;
  if (space.precisions.empty() || space.beams.empty() || space.kv_caches.empty() ||
      space.threads.empty() || space.batches.empty()) {
    refuse_option("space", "nothing to try", "at least one of each");
  }
  if (options.targets.memory && !options.peak_memory) {
    throw Error(ErrorKind::invalid_argument, "memory cannot be measured here",
                {.field = "peak_memory"});
  }
}

void check_references(const std::vector<Example>& data) {
  const auto blank = [](const std::string& text) {
    return text.find_first_not_of(" \t\r\n") == std::string::npos;
  };
  for (const Example& example : data) {
    if (example.references.empty()) {
      throw Error(ErrorKind::invalid_argument, "a document has no reference",
                  {.field = "data", .found = example.id});
    }
  }
  if (std::ranges::all_of(data, [&](const Example& example) {
        return std::ranges::all_of(example.references, blank);
      })) {
    throw Error(ErrorKind::invalid_argument, "all references are empty, so nothing can be judged",
                {.field = "data",
                 .found = fmt::format("{} documents", data.size()),
                 .hint = "name the field that has the summaries (--summary-field)"});
  }
}

// Their documents alone.
std::string documents_hash(const std::vector<std::string>& documents) {
  std::vector<Example> examples;
  examples.reserve(documents.size());
  for (const std::string& document : documents) examples.push_back({.document = document});
  return dataset_hash(examples);
}

// Documents of the half that is searched on; never of what the search has not seen.
std::vector<Example> own_examples(const std::vector<Example>& data, const Split& split,
                                  std::size_t most) {
  std::vector<Example> examples;
  for (const std::size_t i : split.search) {
    if (examples.size() == most) break;
    examples.push_back(data[i]);
  }
  return examples;
}

// What settings are made with where the caller has nothing else.
void fill_in(SettingData& made_with, const std::vector<Example>& data, const Split& split) {
  if (made_with.pruning.empty()) made_with.pruning = own_examples(data, split, kOwnPruning);
  if (!made_with.calibration.empty()) return;
  for (Example& example : own_examples(data, split, kOwnCalibration)) {
    made_with.calibration.push_back(std::move(example.document));
  }
}

// What measurements depend on. Targets and the space may change from run to run.
TrialStore::Description described(const Model& model, const OptimizeOptions& options) {
  const MachineReport machine = examine_machine();
  return {{"kobolt", std::string(version())},
          {"model", model.provenance.source_hash},
          {"data", dataset_hash(options.data)},
          {"calibration", documents_hash(options.made_with.calibration)},
          {"pruning", dataset_hash(options.made_with.pruning)},
          {"documents", std::to_string(options.data.size())},
          {"beams", std::to_string(model.generation.num_beams)},
          {"batch", std::to_string(options.batch)},
          {"threads", std::to_string(options.threads > 0 ? options.threads : usable_cores())},
          {"seed", std::to_string(options.seed)},
          {"processor", machine.processor}};
}

}  // namespace

OptimizeResult optimize(const Model& model, const OptimizeOptions& given) {
  check_options(given);
  check_references(given.data);
  const Split split = split_documents(given.data.size(), given.seed);
  OptimizeOptions options = given;
  options.space = distinct_space(options, model.generation.num_beams);
  fill_in(options.made_with, options.data, split);
  TrialStore store(options.trials, described(model, options));
  const auto timed = std::span(split.search).first(std::min(kTimedDocuments, split.search.size()));
  Workbench workbench(model, options, baseline_setting(), timed);
  SteadyClock clock;
  OptimizeResult result = search(options, model.config, split, workbench, store, clock);
  result.made_with = std::move(options.made_with);
  return result;
}

}  // namespace kobolt
