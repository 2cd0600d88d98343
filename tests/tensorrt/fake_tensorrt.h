#pragma once

#include <filesystem>
#include <string>

#include "export/tensorrt/component.h"
#include "kobolt/error.h"

namespace kobolt {

/// TensorRT as far as a conversion sees it: it "builds" files that say what they were built from.
class FakeTensorRT : public TensorRTComponent {
 public:
  [[nodiscard]] std::string version() const override { return "10.3.0"; }
  [[nodiscard]] TensorRTPlatform platform() const override {
    if (!gpu) throw Error(ErrorKind::unsupported, "CUDA: no CUDA-capable device is detected");
    return {.version = version(), .device = "Some GPU", .compute_capability = "9.0"};
  }
  TensorRTPlans build(const TensorRTBuild& build) override {
    newest = build;
    TensorRTPlans plans;
    for (const char* graph : {"encoder", "decoder", "decoder_with_past"}) {
      graphs_found +=
          std::filesystem::exists(build.onnx_folder / (graph + std::string("_model.onnx")));
      plans[graph] = "engine of " + std::string(graph);
    }
    return plans;
  }
  [[nodiscard]] std::string why_not_here(const TensorRTPlans& plans) override {
    return plans.size() == 3 ? problem : "not three engines";
  }
  ForeignModel open(const std::filesystem::path& /*file*/, int /*threads*/) override {
    throw Error(ErrorKind::unsupported, "nothing runs here");
  }

  bool gpu = true;
  std::string problem;  // of its engines on this GPU
  TensorRTBuild newest;
  int graphs_found = 0;
};

template <typename Call>
std::string refused_by_tensorrt(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

inline std::filesystem::path tiny_checkpoint() {
  return std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / "bart";
}

}  // namespace kobolt
