#include "cli/tensorrt_flags.h"

namespace kobolt::cli {

void TensorRTFlags::add(CLI::App& command) {
  const char* group = "For --backend tensorrt";
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
      ->group(group);
  command
      .add_option("--max-batch-size", max_batch_size,
                  "Most documents of an encoder call, and most beams of a decoder step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N")
      ->group(group);
  command.add_option("--batch", batch, "Documents of a call that the engine is tuned for")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N")
      ->group(group);
  command.add_option("--sequence", sequence, "Tokens of a document that it is tuned for")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N")
      ->group(group);
  command
      .add_option("--dynamic-axes", dynamic_axes,
                  "true: up to --max-batch-size documents and the model's positions; false: "
                  "exactly --batch documents of --sequence tokens")
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--fallback", fallback,
                  "Where TensorRT or a GPU is missing. kobolt: an engine file for the CPU, "
                  "MODEL.kobolt; torchscript: MODEL.pt for LibTorch; none: fail")
      ->check(CLI::IsMember({"kobolt", "torchscript", "none"}))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--timing-cache", timing_cache,
                  "Where TensorRT keeps the times of kernels, which makes the next conversion "
                  "faster; beside the output without it")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option("--save-config", save_config,
                  "Write precision, workspace size, batch size and whether TensorRT was there to "
                  "this JSON file")
      ->type_name("FILE")
      ->group(group);
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
