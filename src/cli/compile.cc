#include "kobolt/optimize.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/calibration_data.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/precision_flags.h"
#include "cli/progress.h"
#include "cli/share.h"
#include "cli/table.h"
#include "cli/tensorrt_flags.h"
#include "cli/validators.h"
#include "kobolt/calibrate.h"
#include "kobolt/evaluate.h"
#include "kobolt/int4_rounding.h"
#include "kobolt/model.h"

namespace kobolt::cli {
namespace {

struct CompileFlags {
  std::string model;
  std::string output;
  std::string calibration;
  std::string pruning;
  std::string pruning_data;
  int beams = 0;
  PrecisionFlags precision;
  CalibrationDataFlags int4_data;
  DatasetOptions fields;
  std::string int4_share;
  TensorRTFlags tensorrt;
};

/// The file of --calibration, if there is one.
std::optional<Calibration> read_calibration(const CompileFlags& flags) {
  if (flags.calibration.empty()) return std::nullopt;
  return Calibration::load(flags.calibration);
}

/// The layers that `kobolt calibrate --auto-mixed` leaves out of int8, before those of --layer.
CompileOptions compile_options(const CompileFlags& flags, const Model& model) {
  CompileOptions options = flags.precision.options();
  if (!flags.int4_share.empty()) options.int4_share = *share_from_text(flags.int4_share);
  const std::optional<Calibration> calibration = read_calibration(flags);
  if (!calibration) return options;
  calibration->require(model);
  const std::vector<LayerPrecision> kept = calibration->kept_layers(Precision::fp16);
  options.layers.insert(options.layers.begin(), kept.begin(), kept.end());
  return options;
}

Setting setting_of(const CompileFlags& flags, const Model& model) {
  Setting setting{.compile = compile_options(flags, model), .beams = flags.beams};
  if (!flags.pruning.empty()) setting.pruning = pruning_step_from_name(flags.pruning);
  return setting;
}

/// What --prune looks at.
std::vector<Example> pruning_examples(const CompileFlags& flags) {
  if (flags.pruning_data.empty()) return {};
  DatasetOptions fields = flags.fields;
  fields.need_references = true;
  return read_dataset(flags.pruning_data, fields);
}

/// The matrices of the engine that rounding for documents helped, and how much.
void print_rounding(const Int4Rounding& rounding) {
  Table table(
      {{.title = "int4"},
       {.title = "each weight by itself, dB", .align = Align::right},
       {.title = fmt::format("for {} documents, dB", rounding.documents), .align = Align::right}});
  for (const Int4Matrix& matrix : rounding.matrices) {
    table.add_row(
        {matrix.section, fmt::format("{:.1f}", matrix.plain_db), fmt::format("{:.1f}", matrix.db)});
  }
  print("{}", table.text());
}

Json rounding_json(const Int4Rounding& rounding) {
  Json matrices = Json::array();
  for (const Int4Matrix& matrix : rounding.matrices) {
    matrices.push_back(
        {{"section", matrix.section}, {"plain_db", matrix.plain_db}, {"db", matrix.db}});
  }
  return {{"documents", rounding.documents}, {"matrices", std::move(matrices)}};
}

std::shared_ptr<const Int4Rounding> write_engine(const Model& model, const CompileFlags& flags,
                                                 const GlobalOptions& global) {
  const SettingData data{.calibration = flags.int4_data.documents(flags.fields.document_field),
                         .pruning = pruning_examples(flags)};
  ProgressBar bar("calibrating", "documents", global);
  return compile_setting(model, setting_of(flags, model), flags.output, data,
                         {.threads = global.threads, .progress = [&bar](const Progress& progress) {
                            bar.update(progress.done, progress.total);
                          }});
}

void run_tensorrt(const CompileFlags& flags, const GlobalOptions& global) {
  const std::optional<Calibration> calibration = read_calibration(flags);
  const TensorRTOptimizer optimizer(flags.tensorrt.options(
      precision_from_name(flags.precision.precision()), calibration ? &*calibration : nullptr));
  Model model = Model::load(flags.model);
  if (!flags.pruning.empty()) prune(model, pruning_step_from_name(flags.pruning), global.threads);
  if (flags.beams > 0) model.generation.num_beams = flags.beams;
  const TensorRTConversion made = optimizer.convert_to_tensorrt(
      model, flags.tensorrt.shape(model.config), flags.output, flags.tensorrt.dynamic_axes);
  if (!flags.tensorrt.save_config.empty()) optimizer.save_config(flags.tensorrt.save_config);
  const bool fell_back = !made.fallback_reason.empty();
  if (fell_back && !global.quiet) {
    say("warning", fmt::format("{}; {} is for {} instead", made.fallback_reason, made.path.string(),
                               made.backend));
  }
  const auto bytes = std::filesystem::file_size(made.path);
  if (global.json) {
    print_json({{"engine", made.path.string()},
                {"backend", made.backend},
                {"fallback_reason", fell_back ? Json(made.fallback_reason) : Json()},
                {"precision", flags.precision.precision()},
                {"bytes", bytes},
                {"source_hash", model.provenance.source_hash}});
  } else if (!global.quiet) {
    print("{}: {}, {}, {}\n", made.path.string(), made.backend, flags.precision.precision(),
          format_bytes(static_cast<double>(bytes)));
  }
}

void check_flags(const CompileFlags& flags, const CLI::App& command) {
  flags.tensorrt.check(command);
  const Precision precision = precision_from_name(flags.precision.precision());
  if (flags.tensorrt.chosen() || flags.calibration.empty() || precision == Precision::int8 ||
      precision == Precision::int4) {
    return;
  }
  throw CLI::ValidationError("--calibration", "names layers to leave out of int8 or int4");
}

void run(const CompileFlags& options, const GlobalOptions& global) {
  if (options.tensorrt.chosen()) return run_tensorrt(options, global);
  const Model model = Model::load(options.model);
  const auto rounding = write_engine(model, options, global);
  if (!rounding && !options.int4_data.file().empty() && !global.quiet) {
    say("warning", "nothing is in int4, so --calibration-data has no effect");
  }
  const auto bytes = std::filesystem::file_size(options.output);
  std::size_t source_bytes = 0;
  for (const auto& [name, tensor] : model.tensors) source_bytes += tensor.bytes.size();
  if (global.json) {
    Json json{{"engine", options.output},
              {"precision", options.precision.precision()},
              {"layers", options.precision.layers()},
              {"bytes", bytes},
              {"source_bytes", source_bytes},
              {"source_hash", model.provenance.source_hash}};
    if (rounding) json["int4_rounding"] = rounding_json(*rounding);
    print_json(json);
  } else if (!global.quiet) {
    print("{}: {}, {} (weights of the checkpoint: {})\n", options.output, options.precision.text(),
          format_bytes(static_cast<double>(bytes)),
          format_bytes(static_cast<double>(source_bytes)));
    if (rounding) print_rounding(*rounding);
  }
}

}  // namespace

void add_compile(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command =
      add_command(app, "compile", "Turn a Hugging Face checkpoint into one engine file.",
                  "kobolt compile my-kobart -o kobart.kobolt\n"
                  "kobolt compile my-kobart -o kobart-int8.kobolt --precision int8\n"
                  "kobolt compile my-kobart -o kobart.kobolt --precision int8 --layer "
                  "'lm_head=fp16'\n"
                  "kobolt compile my-kobart -o kobart-int4.kobolt --precision int4 "
                  "--calibration-data train.jsonl\n"
                  "kobolt compile my-kobart -o kobart.engine --backend tensorrt --precision fp16");
  const auto options = std::make_shared<CompileFlags>();
  command.add_option("model", options->model, "Hugging Face folder")->required();
  command.add_option("-o,--output", options->output, "Engine file to write")->required();
  options->precision.add(command, "Format of the weights");
  command
      .add_option("--calibration", options->calibration,
                  "A file of kobolt calibrate --auto-mixed: the layers that it keeps are stored as "
                  "fp16. With --backend tensorrt: what int8 needs")
      ->type_name("FILE");
  options->int4_data.add(command,
                         "Documents like those to be summarised later: int4 weights are rounded so "
                         "that layers' outputs on them change least");
  command
      .add_option("--int4-share", options->int4_share,
                  "At most this share of the layers' weights becomes int4, such as 25%: those "
                  "matrices first that lose least by it on --calibration-data")
      ->check(readable(share_from_text, "a share such as 25%"))
      ->needs("--calibration-data")
      ->type_name("SHARE");
  command
      .add_option("--document-field", options->fields.document_field,
                  "Field of the document in --calibration-data and --prune-data")
      ->capture_default_str();
  command
      .add_option("--summary-field", options->fields.summary_field,
                  "Field of the reference in --prune-data")
      ->capture_default_str();
  options->tensorrt.add(command);
  command
      .add_option(
          "--prune", options->pruning,
          "Prune first: a way of it, as kobolt prune --sweep-methods has them, and how much, "
          "such as structured+whole@0.1")
      ->check(without_error([](const std::string& text) { (void)pruning_step_from_name(text); }))
      ->type_name("RECIPE@AMOUNT");
  command
      .add_option("--prune-data", options->pruning_data,
                  "Documents with summaries that --prune looks at, where its recipe has +wanda or "
                  "+taylor: all of the file")
      ->check(CLI::ExistingFile)
      ->needs("--prune")
      ->type_name("FILE");
  command
      .add_option("--beams,--num-beams", options->beams,
                  "Beams that the engine uses where nothing else is asked for (default: the "
                  "checkpoint's)")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  command.callback([options, &command, &global] {
    check_flags(*options, command);
    run(*options, global);
  });
}

}  // namespace kobolt::cli
