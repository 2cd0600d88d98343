#include "kobolt/compile.h"

#include <filesystem>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/precision_flags.h"
#include "cli/table.h"
#include "kobolt/calibrate.h"
#include "kobolt/model.h"

namespace kobolt::cli {
namespace {

struct CompileFlags {
  std::string model;
  std::string output;
  std::string calibration;
  PrecisionFlags precision;
};

/// The layers that `kobolt calibrate --auto-mixed` leaves out of int8, before those of --layer.
CompileOptions compile_options(const CompileFlags& flags, const Model& model) {
  CompileOptions options = flags.precision.options();
  if (flags.calibration.empty()) return options;
  const Calibration calibration = Calibration::load(flags.calibration);
  calibration.require(model);
  const std::vector<LayerPrecision> kept = calibration.kept_layers(Precision::fp16);
  options.layers.insert(options.layers.begin(), kept.begin(), kept.end());
  return options;
}

void run(const CompileFlags& options, const GlobalOptions& global) {
  const Model model = Model::load(options.model);
  compile(model, options.output, compile_options(options, model));
  const auto bytes = std::filesystem::file_size(options.output);
  std::size_t source_bytes = 0;
  for (const auto& [name, tensor] : model.tensors) source_bytes += tensor.bytes.size();
  if (global.json) {
    print_json({{"engine", options.output},
                {"precision", options.precision.precision()},
                {"layers", options.precision.layers()},
                {"bytes", bytes},
                {"source_bytes", source_bytes},
                {"source_hash", model.provenance.source_hash}});
  } else if (!global.quiet) {
    print("{}: {}, {} (weights of the checkpoint: {})\n", options.output, options.precision.text(),
          format_bytes(static_cast<double>(bytes)),
          format_bytes(static_cast<double>(source_bytes)));
  }
}

}  // namespace

void add_compile(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command =
      add_command(app, "compile", "Turn a Hugging Face checkpoint into one engine file.",
                  "kobolt compile my-kobart -o kobart.kobolt\n"
                  "kobolt compile my-kobart -o kobart-int8.kobolt --precision int8\n"
                  "kobolt compile my-kobart -o kobart.kobolt --precision int8 --layer "
                  "'lm_head=fp16'");
  const auto options = std::make_shared<CompileFlags>();
  command.add_option("model", options->model, "Hugging Face folder")->required();
  command.add_option("-o,--output", options->output, "Engine file to write")->required();
  options->precision.add(command, "Format of the weights");
  command
      .add_option("--calibration", options->calibration,
                  "A file of kobolt calibrate --auto-mixed: the layers that it keeps are stored as "
                  "fp16")
      ->type_name("FILE");
  command.callback([options, &global] { run(*options, global); });
}

}  // namespace kobolt::cli
