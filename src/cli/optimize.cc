#include "kobolt/optimize.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/folder.h"
#include "cli/commands.h"
#include "cli/optimize_flags.h"
#include "cli/optimize_report.h"
#include "cli/output.h"
#include "cli/own_program.h"
#include "cli/progress.h"
#include "cli/settings_file.h"
#include "kobolt/version.h"

namespace kobolt::cli {
namespace {

namespace fs = std::filesystem;

// In a process of its own, whose memory is that of the engine alone.
std::uint64_t peak_memory_of(const OptimizeFlags& flags, const GlobalOptions& global,
                             const fs::path& engine, const Setting& setting) {
  constexpr int kDocuments = 32;
  const int batch = setting.batch > 0 ? setting.batch : flags.batch;
  const std::array<std::pair<const char*, std::string>, 8> options{
      {{"--data", flags.data},
       {"--document-field", flags.fields.document_field},
       {"--limit", std::to_string(kDocuments)},
       {"--iterations", std::to_string((kDocuments + batch - 1) / batch)},
       {"--warmup", "1"},
       {"--batch", std::to_string(batch)},
       {"--threads", std::to_string(setting.threads > 0 ? setting.threads : global.threads)},
       {"--kv-cache", std::string(name_of(setting.kv_cache))}}};
  std::vector<std::string> arguments{"bench", engine.string(), "--json", "--quiet"};
  for (const auto& [option, value] : options) {
    arguments.emplace_back(option);
    arguments.push_back(value);
  }
  return Json::parse(run_own_program(arguments)).at("peak_memory").get<std::uint64_t>();
}

OptimizeOptions options_of(const OptimizeFlags& flags, const GlobalOptions& global) {
  OptimizeOptions options = optimize_options(flags);
  DatasetOptions fields = flags.fields;
  fields.need_references = true;
  options.data = read_dataset(flags.data, fields);
  if (flags.limit > 0 && options.data.size() > flags.limit) options.data.resize(flags.limit);
  options.made_with.calibration = flags.calibration.documents(flags.fields.document_field);
  options.threads = global.threads;
  options.peak_memory = [&flags, &global](const fs::path& engine, const Setting& setting) {
    return peak_memory_of(flags, global, engine, setting);
  };
  return options;
}

std::string settings_comment(const OptimizeFlags& flags, const OptimizeReport& report) {
  return fmt::format(
      "Chosen by kobolt {} optimize for {} on {}:\n{}\n"
      "kobolt compile {} -o model.kobolt --config settings.yaml",
      version(), targets_text(report.options.targets), flags.data, optimize_sentence(report),
      flags.model);
}

// A line of JSON each; returns the file's name.
template <typename Item, typename ToJson>
std::string write_lines(const fs::path& file, const std::vector<Item>& items, const ToJson& json) {
  std::string lines;
  for (const Item& item : items) lines += json(item).dump() + "\n";
  write_file(file, lines);
  return file.string();
}

// model.kobolt and what makes it again.
void write_chosen(const Model& model, const OptimizeFlags& flags, const OptimizeReport& report) {
  const Setting& setting = report.result.trials[*report.result.chosen].setting;
  const fs::path folder(flags.output);
  const SettingData& data = report.result.made_with;
  const auto rounding = compile_setting(model, setting, folder / "model.kobolt", data,
                                        {.threads = report.options.threads});
  SettingFiles files;
  if (rounding) {
    files.calibration = write_lines(folder / "calibration.jsonl", data.calibration,
                                    [](const std::string& document) {
                                      return Json{{"document", document}};
                                    });
  }
  if (setting.pruning && setting.pruning->recipe.score != PruningScore::magnitude) {
    files.pruning = write_lines(folder / "pruning.jsonl", data.pruning, [](const Example& example) {
      return Json{{"document", example.document}, {"summary", example.references}};
    });
  }
  write_file(folder / "settings.yaml",
             settings_yaml(setting, settings_comment(flags, report), files));
}

void run_optimize(const OptimizeFlags& flags, const GlobalOptions& global) {
  OptimizeOptions options = options_of(flags, global);
  const Model model = Model::load(flags.model);
  const fs::path folder(flags.output);
  make_folder(folder);
  OptimizeResult result;
  {
    ProgressBar bar("searching", "trials", global);
    options.progress = [&](const OptimizeProgress& progress) {
      if (progress.finished) bar.note(*progress.finished);
      bar.show(fmt::format("{} of {}: {}", format_duration(progress.seconds),
                           format_duration(progress.budget), progress.text),
               progress.seconds / progress.budget);
    };
    result = optimize(model, options);
  }
  const OptimizeReport report{.result = result,
                              .options = options,
                              .model = flags.model,
                              .data = flags.data,
                              .folder = flags.output};
  if (result.chosen) write_chosen(model, flags, report);
  write_file(folder / "report.html", optimize_html(report));
  if (global.json) {
    print_json(optimize_json(report));
  } else {
    print("{}", optimize_text(report));
  }
  if (!result.chosen) throw GateFailed(optimize_sentence(report));
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
  add_options(command, *flags);
  command.callback([flags, &global] { run_optimize(*flags, global); });
}

}  // namespace kobolt::cli
