#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "export/tensorrt/component.h"
#include "kobolt/model.h"
#include "runtime/open_foreign.h"

namespace kobolt {

/// TensorRT engines on disk: an engine file (docs/format.md) with serialised engines as sections
/// "tensorrt/NAME" in place of weights, and with kTensorRTSection.
struct PlanFile {
  std::shared_ptr<const EngineFile> file;
  TensorRTPlatform platform;
  TensorRTProfile profile;

  /// Throws Error(not_found, io, corrupt, unsupported) naming file and field.
  static PlanFile open(const std::filesystem::path& path);
  /// Throws Error(unsupported) unless they were built with this version of TensorRT on this kind
  /// of GPU.
  void require(const TensorRTPlatform& here) const;
  /// One of the engines. Throws Error(corrupt) where there is none.
  [[nodiscard]] std::span<const std::byte> plan(std::string_view name) const;
};

/// Writes such a file, beside, synced and renamed. Throws Error.
void write_plan_file(const std::filesystem::path& path, const Model& model, Precision precision,
                     const TensorRTPlatform& platform, const TensorRTProfile& profile,
                     const TensorRTPlans& plans);

}  // namespace kobolt
