#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "runtime/foreign_model.h"

namespace kobolt {

/// What a TensorRT engine is bound to.
struct TensorRTPlatform {
  std::string version;             ///< of the library: "10.13.0"
  std::string device;              ///< "NVIDIA H100 80GB HBM3"
  std::string compute_capability;  ///< "9.0"

  bool operator==(const TensorRTPlatform&) const = default;
};

/// Sizes that an engine accepts: least 1, best, most.
struct TensorRTProfile {
  int batch = 1;          ///< rows it is tuned for
  int max_batch = 1;      ///< most rows
  int sequence = 1;       ///< tokens of a document it is tuned for
  int max_sequence = 1;   ///< most of them
  int min_batch = 1;      ///< with fixed axes the same as max_batch
  int min_sequence = 1;   ///< likewise
  int max_positions = 1;  ///< most tokens of a summary

  bool operator==(const TensorRTProfile&) const = default;
};

/// Serialised engines by what they compute: "encoder", "decoder", "decoder_with_past".
using TensorRTPlans = std::map<std::string, std::string>;

struct TensorRTBuild {
  std::filesystem::path onnx_folder;  ///< of export_onnx()
  std::size_t workspace_size = 0;
  TensorRTProfile profile;
  std::filesystem::path timing_cache;
  bool tf32 = true;  ///< products of fp32 may round their inputs to 10 bits, which is faster
};

/// The library libkobolt_tensorrt.so, which uses TensorRT and CUDA.
class TensorRTComponent : public BackendComponent {
 public:
  /// Of the first GPU. Throws Error(unsupported) where there is none, or no driver.
  [[nodiscard]] virtual TensorRTPlatform platform() const = 0;
  /// Throws Error with what TensorRT complained about.
  virtual TensorRTPlans build(const TensorRTBuild& build) = 0;
  /// Why engines that build() has made cannot run here; empty: they can. Some versions build for
  /// GPUs that they do not run on.
  [[nodiscard]] virtual std::string why_not_here(const TensorRTPlans& plans) = 0;
};

}  // namespace kobolt
