#include "kobolt/optimize.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "base/atomic_file.h"
#include "cli/commands.h"
#include "cli/optimize_report.h"
#include "cli/output.h"
#include "cli/own_program.h"
#include "cli/progress.h"
#include "cli/quantity.h"
#include "cli/settings_file.h"
#include "cli/share.h"
#include "cli/validators.h"
#include "kobolt/error.h"
#include "kobolt/version.h"

namespace kobolt::cli {
namespace {

namespace fs = std::filesystem;

struct OptimizeFlags {
  std::string model;
  std::string output;
  std::string data;
  DatasetOptions fields;
  std::size_t limit = 0;
  std::string keep;
  std::string latency;
  std::string size;
  std::string memory;
  std::string prefer = "speed";
  double minutes = OptimizeOptions{}.minutes;
  int batch = 1;
  std::uint64_t seed = 0;
  std::string rouge_tokens = "unicode";
  std::vector<std::string> precisions{"fp32", "fp16", "bf16", "int8", "int4"};
  bool no_mixed = false;
  std::vector<std::string> prunings;
  std::vector<std::string> kv_caches{"auto", "int8"};
  std::vector<int> beams{0};
  std::vector<int> threads{0};
};

OptimizeTargets targets_of(const OptimizeFlags& flags) {
  OptimizeTargets targets;
  if (!flags.keep.empty()) targets.keep = share_from_text(flags.keep);
  if (!flags.latency.empty()) targets.latency = seconds_from_text(flags.latency);
  if (flags.size.ends_with('%')) {
    targets.size_share = share_from_text(flags.size);
  } else if (!flags.size.empty()) {
    targets.size = bytes_from_text(flags.size);
  }
  if (!flags.memory.empty()) targets.memory = bytes_from_text(flags.memory);
  return targets;
}

OptimizeFor preference_of(const std::string& name) {
  if (name == "size") return OptimizeFor::size;
  return name == "quality" ? OptimizeFor::quality : OptimizeFor::speed;
}

OptimizeSpace space_of(const OptimizeFlags& flags) {
  OptimizeSpace space;
  space.precisions.clear();
  for (const std::string& name : flags.precisions) {
    space.precisions.push_back(precision_from_name(name));
  }
  space.mixed = !flags.no_mixed;
  space.prunings.clear();
  for (const std::string& name : flags.prunings) {
    if (name != "none") space.prunings.push_back(pruning_step_from_name(name));
  }
  space.kv_caches.clear();
  for (const std::string& name : flags.kv_caches)
    space.kv_caches.push_back(kv_cache_from_name(name));
  space.beams = flags.beams;
  space.threads = flags.threads;
  return space;
}

// In a process of its own, whose memory is that of the engine alone.
std::uint64_t peak_memory_of(const OptimizeFlags& flags, const GlobalOptions& global,
                             const fs::path& engine, const Setting& setting) {
  constexpr const char* kDocuments = "32";
  const int threads = setting.threads > 0 ? setting.threads : global.threads;
  const Json bench = Json::parse(run_own_program({"bench",
                                                  engine.string(),
                                                  "--json",
                                                  "--quiet",
                                                  "--data",
                                                  flags.data,
                                                  "--document-field",
                                                  flags.fields.document_field,
                                                  "--limit",
                                                  kDocuments,
                                                  "--iterations",
                                                  kDocuments,
                                                  "--warmup",
                                                  "1",
                                                  "--batch",
                                                  std::to_string(flags.batch),
                                                  "--threads",
                                                  std::to_string(threads),
                                                  "--kv-cache",
                                                  std::string(name_of(setting.kv_cache))}));
  return bench.at("peak_memory").get<std::uint64_t>();
}

OptimizeOptions options_of(const OptimizeFlags& flags, const GlobalOptions& global) {
  DatasetOptions fields = flags.fields;
  fields.need_references = true;
  OptimizeOptions options{.data = read_dataset(flags.data, fields),
                          .targets = targets_of(flags),
                          .prefer = preference_of(flags.prefer),
                          .space = space_of(flags),
                          .minutes = flags.minutes,
                          .batch = flags.batch,
                          .threads = global.threads,
                          .rouge_tokens = rouge_tokens_from_name(flags.rouge_tokens),
                          .seed = flags.seed,
                          .trials = fs::path(flags.output) / "trials.sqlite"};
  if (flags.limit > 0 && options.data.size() > flags.limit) options.data.resize(flags.limit);
  options.peak_memory = [&flags, &global](const fs::path& engine, const Setting& setting) {
    return peak_memory_of(flags, global, engine, setting);
  };
  return options;
}

void make_output_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return;
  throw Error(ErrorKind::io, "cannot make the folder: " + error.message(),
              {.file = folder.string()});
}

std::string settings_comment(const OptimizeFlags& flags, const OptimizeReport& report) {
  return fmt::format(
      "Chosen by kobolt {} optimize for {} on {}:\n{}\n"
      "kobolt compile {} -o model.kobolt --config settings.yaml",
      version(), targets_text(report.options.targets), flags.data, optimize_sentence(report),
      flags.model);
}

void run_optimize(const OptimizeFlags& flags, const GlobalOptions& global) {
  OptimizeOptions options = options_of(flags, global);
  const auto& asked = options.targets;
  if (!asked.keep && !asked.latency && !asked.size && !asked.size_share && !asked.memory) {
    options.targets.keep = GateOptions{}.keep;
  }
  const Model model = Model::load(flags.model);
  const fs::path folder(flags.output);
  make_output_folder(folder);
  OptimizeResult result;
  {
    ProgressBar bar("searching", "s", global);
    options.progress = [&](const OptimizeProgress& progress) {
      bar.update(static_cast<std::size_t>(progress.seconds),
                 static_cast<std::size_t>(std::ceil(progress.budget)));
    };
    result = optimize(model, options);
  }
  const OptimizeReport report{.result = result,
                              .options = options,
                              .model = flags.model,
                              .data = flags.data,
                              .folder = flags.output};
  if (result.chosen) {
    const Setting& setting = result.trials[*result.chosen].setting;
    compile_setting(model, setting, folder / "model.kobolt");
    write_file(folder / "settings.yaml", settings_yaml(setting, settings_comment(flags, report)));
  }
  write_file(folder / "report.html", optimize_html(report));
  if (global.json) {
    print_json(optimize_json(report));
  } else {
    print("{}", optimize_text(report));
  }
  if (!result.chosen) throw GateFailed(optimize_sentence(report));
}

void add_targets(CLI::App& command, OptimizeFlags& flags) {
  const char* group = "What the result has to meet (default: --keep 99%)";
  command
      .add_option("--keep", flags.keep,
                  "Share of the fp32 model's ROUGE-1, -2 and -L each, and 90 % of its length: "
                  "MLPerf's rule")
      ->check(readable(share_from_text, "a share such as 99%"))
      ->type_name("SHARE")
      ->group(group);
  command
      .add_option("--latency", flags.latency,
                  "Most time for a batch of the documents, p95: 19 of 20 are within it")
      ->check(readable(seconds_from_text, "a time such as 50ms"))
      ->type_name("TIME")
      ->group(group);
  command
      .add_option("--size", flags.size,
                  "Most bytes of the engine file, 60MB, or share of the fp32 engine's, 25%")
      ->check(readable(
          [](const std::string& text) {
            return text.ends_with('%') ? share_from_text(text).has_value()
                                       : bytes_from_text(text).has_value();
          },
          "a size such as 60MB or 25%"))
      ->type_name("SIZE")
      ->group(group);
  command.add_option("--memory", flags.memory, "Most memory of a process that runs it")
      ->check(readable(bytes_from_text, "a size such as 200MB"))
      ->type_name("SIZE")
      ->group(group);
  command
      .add_option("--prefer", flags.prefer,
                  "What is best among those that meet it: speed, size or quality")
      ->check(CLI::IsMember({"speed", "size", "quality"}))
      ->capture_default_str()
      ->group(group);
}

void add_data(CLI::App& command, OptimizeFlags& flags) {
  const char* group = "Documents";
  command
      .add_option(
          "--data", flags.data,
          "Documents with summaries: .jsonl, .json, .csv, .tsv. One half is searched on, the "
          "other one confirms")
      ->required()
      ->check(CLI::ExistingFile)
      ->type_name("FILE")
      ->group(group);
  command.add_option("--document-field", flags.fields.document_field, "Field of the document")
      ->capture_default_str()
      ->group(group);
  command.add_option("--summary-field", flags.fields.summary_field, "Field of the reference")
      ->capture_default_str()
      ->group(group);
  command.add_option("--limit", flags.limit, "Only the first N documents; 0 = all")
      ->type_name("N")
      ->group(group);
  command
      .add_option("--rouge-tokens", flags.rouge_tokens,
                  "unicode: words of any script; ascii: as rouge-score; char: letters")
      ->check(CLI::IsMember({"unicode", "ascii", "char"}))
      ->capture_default_str()
      ->group(group);
}

void add_space(CLI::App& command, OptimizeFlags& flags) {
  const char* group = "What may be changed: lists; one value fixes it";
  command.add_option("--try-precision", flags.precisions, "Formats of the weights")
      ->delimiter(',')
      ->check(CLI::IsMember({"fp32", "fp16", "bf16", "int8", "int4"}))
      ->capture_default_str()
      ->group(group);
  command.add_flag("--no-mixed", flags.no_mixed, "One precision for all layers")->group(group);
  for (const PruningStep& step : default_pruning_steps()) flags.prunings.push_back(name_of(step));
  command
      .add_option("--try-pruning", flags.prunings,
                  "Ways of pruning and amounts, as kobolt compile --prune takes them; none")
      ->delimiter(',')
      ->check(without_error([](const std::string& text) {
        if (text != "none") (void)pruning_step_from_name(text);
      }))
      ->capture_default_str()
      ->group(group);
  command.add_option("--try-kv-cache", flags.kv_caches, "Formats of cached keys and values")
      ->delimiter(',')
      ->check(CLI::IsMember({"auto", "fp32", "fp16", "int8"}))
      ->capture_default_str()
      ->group(group);
  command
      .add_option(
          "--try-beams", flags.beams,
          "Numbers of beams; 0 = the checkpoint's. Fewer are faster and write other summaries")
      ->delimiter(',')
      ->check(CLI::Range(0, 4096))
      ->capture_default_str()
      ->group(group);
  command.add_option("--try-threads", flags.threads, "Numbers of threads; 0 = --threads")
      ->delimiter(',')
      ->check(CLI::Range(0, 4096))
      ->capture_default_str()
      ->group(group);
}

}  // namespace

void add_optimize(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(
      app, "optimize",
      "Search for the best way to compile and run a model under a target, and confirm it on "
      "documents that the search has not seen.",
      "kobolt optimize my-kobart --data dev.jsonl --keep 99% -o best\n"
      "kobolt optimize my-kobart --data dev.jsonl --keep 99% --size 25% --minutes 30 -o best\n"
      "kobolt optimize my-kobart --data dev.jsonl --latency 50ms --try-beams 4,2,1 -o best\n"
      "kobolt compile my-kobart -o again.kobolt --config best/settings.yaml");
  const auto flags = std::make_shared<OptimizeFlags>();
  command.add_option("model", flags->model, "Hugging Face folder")->required();
  command
      .add_option(
          "-o,--output", flags->output,
          "Folder for model.kobolt, settings.yaml, report.html and trials.sqlite. One that a "
          "search has begun goes on")
      ->required()
      ->type_name("FOLDER");
  command.add_option("--minutes", flags->minutes, "Time for measuring, over all runs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--batch", flags->batch, "Documents at once, when speed is measured")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  command.add_option("--seed", flags->seed, "Of what is drawn at random: halves, orders")
      ->capture_default_str();
  add_targets(command, *flags);
  add_data(command, *flags);
  add_space(command, *flags);
  command.callback([flags, &global] { run_optimize(*flags, global); });
}

}  // namespace kobolt::cli
