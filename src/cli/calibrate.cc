#include "kobolt/calibrate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "kobolt/evaluate.h"

namespace kobolt::cli {
namespace {

// Below, a hundredth of the output's power is noise: these are named even when none is left out.
constexpr double kNoisyDb = 20;
constexpr std::size_t kWorstShown = 10;

struct CalibrateFlags {
  std::string model;
  std::string data;
  DatasetOptions fields;
  std::size_t samples = 512;
  std::string method = "mse";
  double percentile = 99.99;
  std::string auto_mixed;
  std::string output;
};

/// "40dB" or "40".
std::optional<double> decibels_from(const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const std::string unit = text.substr(used);
  if (used == 0 || !std::isfinite(value) || (!unit.empty() && unit != "dB" && unit != "db")) {
    throw CLI::ValidationError("--auto-mixed", "\"" + text + "\" is not a number of decibels");
  }
  return value;
}

std::vector<std::string> read_documents(const CalibrateFlags& flags) {
  std::vector<std::string> documents;
  for (Example& example : read_dataset(flags.data, flags.fields)) {
    if (flags.samples > 0 && documents.size() == flags.samples) break;
    documents.push_back(std::move(example.document));
  }
  return documents;
}

std::string format_db(double decibels) {
  return std::isfinite(decibels) ? fmt::format("{:.1f}", decibels) : "exact";
}

std::vector<LayerCalibration> by_noise(const Calibration& calibration) {
  std::vector<LayerCalibration> layers = calibration.layers;
  std::ranges::stable_sort(layers, {}, &LayerCalibration::snr_db);
  return layers;
}

void print_report(const Calibration& calibration, const CalibrateFlags& flags) {
  const std::vector<LayerCalibration> layers = by_noise(calibration);
  const double threshold = calibration.auto_mixed_db.value_or(kNoisyDb);
  const auto below = static_cast<std::size_t>(std::ranges::count_if(
      layers, [&](const LayerCalibration& layer) { return layer.snr_db < threshold; }));
  print("{}: {} layers, {} documents, {}\n\n", flags.output, layers.size(), calibration.documents,
        name_of(calibration.method));
  Table table({{.title = "layer"},
               {.title = "smallest input", .align = Align::right},
               {.title = "largest", .align = Align::right},
               {.title = "clip", .align = Align::right},
               {.title = "input dB", .align = Align::right},
               {.title = "weight dB", .align = Align::right},
               {.title = "output dB", .align = Align::right}});
  const std::size_t shown = std::min(std::max(below, kWorstShown), layers.size());
  for (const LayerCalibration& layer : std::span(layers).first(shown)) {
    table.add_row({layer.name, fmt::format("{:.3g}", layer.min), fmt::format("{:.3g}", layer.max),
                   fmt::format("{:.3g}", layer.clip), format_db(layer.input_snr_db),
                   format_db(layer.weight_snr_db), format_db(layer.snr_db)});
  }
  print("{}", table.text());
  if (shown < layers.size()) {
    print("... and {} with less noise, all in {}\n", layers.size() - shown, flags.output);
  }
  if (calibration.auto_mixed_db) {
    print("\n{} of {} layers have an output below {} dB in int8 and stay in higher precision.\n",
          below, layers.size(), threshold);
  } else if (below > 0) {
    print(
        "\n{} of {} layers have an output below {} dB in int8: they should stay in higher "
        "precision (--auto-mixed {}dB).\n",
        below, layers.size(), threshold, threshold);
  } else {
    print("\nNo layer has an output below {} dB in int8: none needs higher precision.\n",
          threshold);
  }
}

void run(const CalibrateFlags& flags, const GlobalOptions& global) {
  CalibrateOptions options{.method = calibration_method_from_name(flags.method),
                           .percentile = flags.percentile,
                           .auto_mixed_db = decibels_from(flags.auto_mixed)};
  const Model model = Model::load(flags.model);
  const std::vector<std::string> documents = read_documents(flags);
  Calibration calibration;
  {
    ProgressBar bar("calibrating", "documents", global);
    options.run = {.threads = global.threads, .progress = [&bar](const Progress& progress) {
                     bar.update(progress.done, progress.total);
                   }};
    calibration = calibrate(model, documents, options);
  }
  calibration.save(flags.output);
  if (global.json) {
    std::vector<std::string> kept;
    for (const LayerCalibration& layer : calibration.layers) {
      if (layer.keep) kept.push_back(layer.name);
    }
    print_json({{"calibration", flags.output},
                {"model_hash", calibration.model_hash},
                {"method", flags.method},
                {"documents", calibration.documents},
                {"layers", calibration.layers.size()},
                {"worst_snr_db", by_noise(calibration).front().snr_db},
                {"kept", kept}});
  } else if (!global.quiet) {
    print_report(calibration, flags);
  }
}

}  // namespace

void add_calibrate(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(
      app, "calibrate", "Measure the numbers that flow into each layer, and what int8 costs them.",
      "kobolt calibrate my-kobart --data train.jsonl -o calibration.json\n"
      "kobolt calibrate my-kobart --data train.jsonl --method entropy --samples 128 -o "
      "calibration.json\n"
      "kobolt calibrate my-kobart --data train.jsonl --auto-mixed 40dB -o calibration.json");
  const auto flags = std::make_shared<CalibrateFlags>();
  command.add_option("model", flags->model, "Hugging Face folder")->required();
  command.add_option("--data", flags->data, "Documents like those to be summarised later")
      ->required()
      ->type_name("FILE");
  command.add_option("-o,--output", flags->output, "JSON file to write")->required();
  command
      .add_option("--method", flags->method,
                  "What becomes of rare large inputs. minmax: all fit; entropy: clipped where the "
                  "distribution changes least; percentile: a share fits; mse: clipped where the "
                  "squared error is smallest")
      ->check(CLI::IsMember({"minmax", "entropy", "percentile", "mse"}))
      ->capture_default_str();
  command
      .add_option("--percentile", flags->percentile,
                  "For the method percentile: how many percent fit")
      ->capture_default_str()
      ->type_name("P");
  command.add_option("--samples", flags->samples, "Only the first N documents; 0 = all")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--auto-mixed", flags->auto_mixed,
                  "Leave layers out of int8 whose output has a lower signal to noise than this, "
                  "such as 40dB")
      ->type_name("DB");
  command.add_option("--document-field", flags->fields.document_field, "Field of the document")
      ->capture_default_str();
  command.callback([flags, &command, &global] {
    if (command.count("--percentile") > 0 && flags->method != "percentile") {
      throw CLI::ValidationError("--percentile", "is for --method percentile");
    }
    run(*flags, global);
  });
}

}  // namespace kobolt::cli
