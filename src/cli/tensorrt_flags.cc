#include "cli/tensorrt_flags.h"

#include <algorithm>

namespace kobolt::cli {
namespace {

constexpr const char* kGroup = "For --backend tensorrt";

}  // namespace

void TensorRTFlags::add(CLI::App& command) {
  command
      .add_option("--backend", backend,
                  "What the file is for. kobolt: Kobolt's own engine on the CPU; tensorrt: "
                  "NVIDIA's TensorRT, in fp32, fp16 or int8 (with --calibration); see "
                  "docs/backends.md")
      ->check(CLI::IsMember({"kobolt", "tensorrt"}))
      ->capture_default_str();
  command
      .add_option("--workspace-size", workspace_size,
                  "Most device memory for the intermediate results of a layer, such as 1GB")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str()
      ->type_name("BYTES")
      ->group(kGroup);
  command
      .add_option("--max-batch-size", max_batch_size,
                  "Most documents of an encoder call, and most beams of a decoder step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N")
      ->group(kGroup);
  command.add_option("--batch", batch, "Documents of a call that the engine is tuned for")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N")
      ->group(kGroup);
  command
      .add_option("--sequence", sequence,
                  "Tokens of a document that it is tuned for; without it 512, or the model's "
                  "positions where those are fewer")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->group(kGroup);
  command
      .add_option("--dynamic-axes", dynamic_axes,
                  "true: up to --max-batch-size documents and the model's positions; false: "
                  "exactly --batch documents of --sequence tokens")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option("--fallback", fallback,
                  "Where TensorRT or a GPU is missing. kobolt: an engine file for the CPU, "
                  "MODEL.kobolt; torchscript: MODEL.pt for LibTorch; none: fail")
      ->check(CLI::IsMember({"kobolt", "torchscript", "none"}))
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option("--timing-cache", timing_cache,
                  "Where TensorRT keeps the times of kernels, which makes the next conversion "
                  "faster; beside the output without it")
      ->type_name("FILE")
      ->group(kGroup);
  command
      .add_option("--save-config", save_config,
                  "Write precision, workspace size, batch size and whether TensorRT was there to "
                  "this JSON file")
      ->type_name("FILE")
      ->group(kGroup);
}

void TensorRTFlags::check(const CLI::App& command) const {
  if (chosen()) {
    for (const char* flag : {"--layer", "--sparse", "--calibration-data", "--int4-share"}) {
      if (command.count(flag) == 0) continue;
      throw CLI::ValidationError(flag, "has no effect on TensorRT; see kobolt calibrate");
    }
  } else if (command.count("--backend") == 0) {
    for (const CLI::Option* option : command.get_options()) {
      if (option->get_group() != kGroup || option->count() == 0) continue;
      throw CLI::ValidationError(option->get_name(), "is for --backend tensorrt");
    }
  }
}

TensorRTShape TensorRTFlags::shape(const ModelConfig& model) const {
  const int usual = std::min(TensorRTShape{}.sequence, model.max_positions);
  return {.batch = batch, .sequence = sequence.value_or(usual)};
}

TensorRTOptions TensorRTFlags::options(Precision precision, const Calibration* calibration) const {
  return {.precision = precision,
          .workspace_size = workspace_size,
          .max_batch_size = max_batch_size,
          .fallback = tensorrt_fallback_from_name(fallback),
          .calibration = calibration,
          .timing_cache = timing_cache};
}

}  // namespace kobolt::cli
