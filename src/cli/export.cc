#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/table.h"
#include "kobolt/error.h"
#include "kobolt/model.h"
#include "kobolt/onnx.h"
#include "kobolt/torchscript.h"

namespace kobolt::cli {
namespace {

struct ExportFlags {
  std::string model;
  std::string onnx;
  std::string torchscript;
  std::string precision = "fp32";
  std::vector<std::string> layers;
  std::string calibration;
  std::optional<int> opset;
  std::string dynamic_axes = "all";
  std::optional<std::int64_t> batch;
  std::optional<std::int64_t> sequence;
};

/// A size goes with an axis that --dynamic-axes leaves out, and only with one.
void check_axis(bool dynamic, const char* flag, bool given, const std::string& axes) {
  if (!dynamic && !given) {
    throw CLI::ValidationError("--dynamic-axes",
                               axes + " fixes an axis: say its size with " + flag);
  }
  if (dynamic && given) {
    throw CLI::ValidationError(flag, "that axis is dynamic; see --dynamic-axes");
  }
}

OnnxOptions onnx_options(const ExportFlags& flags) {
  const std::string& axes = flags.dynamic_axes;
  check_axis(axes == "all" || axes == "batch", "--batch", flags.batch.has_value(), axes);
  check_axis(axes == "all" || axes == "sequence", "--sequence", flags.sequence.has_value(), axes);
  OnnxOptions options{.precision = onnx_precision_from_name(flags.precision),
                      .opset = flags.opset,
                      .batch = flags.batch,
                      .sequence = flags.sequence};
  for (const std::string& layer : flags.layers) {
    options.layers.push_back(onnx_layer_precision_from_text(layer));
  }
  if (!flags.calibration.empty()) options.calibration = Calibration::load(flags.calibration);
  return options;
}

void print_files(const std::vector<ExportedFile>& files) {
  Table table({{.title = "file"}, {.title = "size", .align = Align::right}});
  double total = 0;
  for (const ExportedFile& file : files) {
    table.add_row({file.path.string(), format_bytes(static_cast<double>(file.bytes))});
    total += static_cast<double>(file.bytes);
  }
  table.add_row({"together", format_bytes(total)});
  write(table.text());
}

void run_torchscript(const ExportFlags& flags, const GlobalOptions& global) {
  const Model model = Model::load(flags.model);
  export_torchscript(model, flags.torchscript);
  const auto bytes = std::filesystem::file_size(flags.torchscript);
  if (global.json) {
    print_json({{"file", flags.torchscript},
                {"bytes", bytes},
                {"source_hash", model.provenance.source_hash}});
  } else if (!global.quiet) {
    print("{}: TorchScript, fp32, {}\n", flags.torchscript,
          format_bytes(static_cast<double>(bytes)));
  }
}

/// Throws CLI::Error for flags that would do nothing, or where there is nothing to do.
void check_flags(const ExportFlags& flags, const CLI::App& command) {
  if (flags.onnx.empty() && flags.torchscript.empty()) {
    throw CLI::RequiredError("--onnx or --torchscript");
  }
  if (!flags.torchscript.empty()) {
    for (const char* flag : {"--precision", "--layer", "--calibration", "--opset", "--dynamic-axes",
                             "--batch", "--sequence"}) {
      if (command.count(flag) == 0) continue;
      throw CLI::ValidationError(flag, "is for --onnx; TorchScript files are fp32, of any sizes");
    }
  }
  const auto is_int8 = [](const std::string& layer) { return layer.ends_with("=int8"); };
  if (!flags.calibration.empty() && flags.precision != "int8" &&
      !std::ranges::any_of(flags.layers, is_int8)) {
    throw CLI::ValidationError("--calibration", "is for --precision int8");
  }
}

void run(const ExportFlags& flags, const GlobalOptions& global) {
  if (!flags.torchscript.empty()) return run_torchscript(flags, global);
  const OnnxOptions options = onnx_options(flags);
  const Model model = Model::load(flags.model);
  const std::vector<ExportedFile> files = export_onnx(model, flags.onnx, options);
  if (global.json) {
    Json list = Json::array();
    for (const ExportedFile& file : files) {
      list.push_back({{"path", file.path.string()}, {"bytes", file.bytes}});
    }
    print_json({{"folder", flags.onnx},
                {"precision", flags.precision},
                {"layers", flags.layers},
                {"files", std::move(list)},
                {"source_hash", model.provenance.source_hash}});
  } else if (!global.quiet) {
    print_files(files);
  }
}

}  // namespace

void add_export(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(
      app, "export",
      "Write a checkpoint as ONNX graphs for Hugging Face's optimum, or as TorchScript.",
      "kobolt export my-kobart --onnx my-kobart-onnx\n"
      "kobolt export my-kobart --onnx out --precision fp16\n"
      "kobolt export my-kobart --onnx out --precision int8 --calibration calibration.json\n"
      "kobolt export my-kobart --onnx out --precision int4-weights --layer 'lm_head=fp32'\n"
      "kobolt export my-kobart --onnx out --opset 13 --dynamic-axes batch --sequence 512");
  const auto flags = std::make_shared<ExportFlags>();
  command.add_option("model", flags->model, "Hugging Face folder")->required();
  command
      .add_option("--onnx", flags->onnx,
                  "Folder to write: encoder_model.onnx, decoder_model.onnx, "
                  "decoder_with_past_model.onnx, their weights in model.onnx_data, configuration "
                  "and tokenizer. ORTModelForSeq2SeqLM.from_pretrained(FOLDER) loads it")
      ->type_name("FOLDER");
  command
      .add_option("--torchscript", flags->torchscript,
                  "TorchScript file to write instead, fp32; needs the component for LibTorch "
                  "(docs/backends.md)")
      ->type_name("FILE")
      ->excludes("--onnx");
  command
      .add_option("--precision", flags->precision,
                  "fp32; fp16, with norms, softmax, sums and logits in fp32; int8, weights and "
                  "what meets them (needs --calibration); int8-weights, a scale for each output "
                  "feature and products in fp32; int4-weights, a scale for each 32 weights "
                  "(embeddings and output projection int8-weights)")
      ->check(CLI::IsMember({"fp32", "fp16", "int8", "int8-weights", "int4-weights"}))
      ->capture_default_str();
  command
      .add_option("--layer", flags->layers,
                  "Another precision for the matrices of a name, such as 'lm_head=fp32' or "
                  "'decoder.layers.*.fc1=int8-weights'; repeatable, the last match wins")
      ->type_name("PATTERN=PRECISION")
      ->allow_extra_args(false);
  command
      .add_option("--calibration", flags->calibration,
                  "The file of kobolt calibrate that int8 needs; the layers that it keeps are fp32")
      ->type_name("FILE");
  command
      .add_option("--opset", flags->opset,
                  "Version of ONNX's operators: the oldest that your runtime needs. By default 17, "
                  "or 21 for int4-weights")
      ->check(CLI::Range(kOldestOpset, kNewestOpset));
  command
      .add_option("--dynamic-axes", flags->dynamic_axes,
                  "What each call may choose: all; batch (then --sequence fixes the tokens of a "
                  "document); sequence (then --batch fixes the rows); none (both). Summaries can "
                  "always grow")
      ->check(CLI::IsMember({"all", "batch", "sequence", "none"}))
      ->capture_default_str();
  command.add_option("--batch", flags->batch, "Rows of a call, beams included, where fixed")
      ->check(CLI::PositiveNumber);
  command
      .add_option("--sequence", flags->sequence,
                  "Tokens of a document, padding included, where fixed")
      ->check(CLI::PositiveNumber);
  command.callback([flags, &command, &global] {
    check_flags(*flags, command);
    run(*flags, global);
  });
}

}  // namespace kobolt::cli
