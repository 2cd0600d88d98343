#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "kobolt/benchmark.h"
#include "kobolt/calibrate.h"
#include "kobolt/export.h"
#include "kobolt/model.h"

namespace kobolt {

/// What convert_to_tensorrt() writes where TensorRT cannot be used.
enum class TensorRTFallback : std::uint8_t {
  kobolt,       ///< an engine file for Kobolt's own CPU engine (the default)
  torchscript,  ///< a TorchScript file for LibTorch
  none,         ///< nothing: an Error
};
/// Reads "kobolt", "torchscript" or "none". Throws Error(invalid_argument).
KOBOLT_API TensorRTFallback tensorrt_fallback_from_name(std::string_view name);

struct TensorRTOptions {
  /// fp32, fp16 or int8; int8 needs `calibration`.
  Precision precision = Precision::fp16;
  /// Most device memory, in bytes, that TensorRT may use for a layer's intermediate results.
  std::size_t workspace_size = std::size_t{1} << 30U;
  /// Most documents of an encoder call and most rows (beams) of a decoder step.
  int max_batch_size = 32;
  TensorRTFallback fallback = TensorRTFallback::kobolt;
  /// Of the same model, for int8 (kobolt/calibrate.h); null = none.
  const Calibration* calibration = nullptr;
  /// TensorRT keeps what it learns about kernels' times here, which makes later conversions much
  /// faster; empty = beside the output, under the extension ".timing".
  std::filesystem::path timing_cache;
};

/// Sizes that a conversion is tuned for, or that a benchmark runs.
struct TensorRTShape {
  int batch = 1;       ///< documents
  int sequence = 512;  ///< tokens a document
};

/// What convert_to_tensorrt() wrote.
struct TensorRTConversion {
  std::filesystem::path path;  ///< the output path; of a fallback with its own extension
  std::string backend;         ///< "TensorRT 10.13.0", "Kobolt's CPU engine", "TorchScript"
  /// Why it is not TensorRT, a clause; empty where it is.
  std::string fallback_reason;
};

/// Converts models to TensorRT by way of ONNX, and measures them. Where TensorRT or a GPU is
/// missing it falls back to what runs here, and says so. docs/backends.md has the whole story.
class KOBOLT_API TensorRTOptimizer {
 public:
  /// Throws Error(invalid_argument) for options that make no sense.
  explicit TensorRTOptimizer(TensorRTOptions options = {});

  /// Converts `model` for documents up to `max_batch_size` x the model's positions, tuned for
  /// `input_shape`; without `dynamic_axes` for exactly that shape. The file is for this version of
  /// TensorRT and this kind of GPU only. Throws Error; unsupported where TensorRT cannot be used
  /// and there is no fallback, invalid_argument for a shape outside of what the model or the
  /// options allow, and for int8 without calibration.
  TensorRTConversion convert_to_tensorrt(const Model& model, TensorRTShape input_shape,
                                         const std::filesystem::path& output_path,
                                         bool dynamic_axes = true) const;
  /// Measures what convert_to_tensorrt() wrote, a fallback too: documents of random tokens, 4
  /// beams, 64 new tokens. Throws Error.
  [[nodiscard]] BenchmarkResult benchmark(const std::filesystem::path& converted,
                                          TensorRTShape input_shape, int n_iterations = 100,
                                          int warmup_iterations = 10) const;

  /// Writes JSON with exactly `precision`, `workspace_size`, `max_batch_size` and
  /// `tensorrt_available` (whether it was, for the reader to know). Throws Error.
  void save_config(const std::filesystem::path& path) const;
  /// The settings of save_config(); other options as by default. Throws Error naming file and
  /// field: a missing or unknown one, or a value that makes no sense.
  static TensorRTOptimizer load_config(const std::filesystem::path& path);

  /// Whether TensorRT can be used here: this build has the component, the library is there, and
  /// there is a GPU.
  static bool tensorrt_available();
  /// Why not, a clause; empty where it can.
  static std::string unavailable_reason();

  [[nodiscard]] const TensorRTOptions& options() const { return options_; }

 private:
  TensorRTOptions options_;
};

}  // namespace kobolt
