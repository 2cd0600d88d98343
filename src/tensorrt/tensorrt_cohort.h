#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "export/tensorrt/plan_file.h"
#include "runtime/cohorts.h"
#include "tensorrt/later_step.h"
#include "tensorrt/plan.h"

namespace kobolt {

using LaterSteps = std::list<LaterStep>;

/// The three engines of a file, on the device, and what runs them. All work goes into one stream.
class TensorRTPrograms {
 public:
  /// Throws Error.
  TensorRTPrograms(const PlanFile& file, TensorRTLog& log);

  /// Adds one to `steps`, new or used before; take_back() is for when they are no longer needed.
  void lend(LaterSteps& steps);
  void take_back(LaterSteps& steps);

  CudaStream stream;
  std::unique_ptr<nvinfer1::IRuntime> runtime;  // outlives what it has loaded
  Plan encoder;
  Plan decoder;
  Plan decoder_with_past;
  DeviceBuffer scratch;  // of every run
  PlanContext encoding;
  PlanContext first;  // of the first step

 private:
  LaterSteps spare_;
};

/// Generation's back end over TensorRT. Hidden states, caches and logits stay on the device; the
/// best tokens of each row come back.
class TensorRTBackend : public CohortBackend {
 public:
  TensorRTBackend(const PlanFile& file, TensorRTLog& log);

  [[nodiscard]] int max_document() const override { return profile_.max_sequence; }

 protected:
  std::unique_ptr<Cohort> start(std::span<const std::vector<std::int32_t>> documents, int max_rows,
                                int max_length) override;
  [[nodiscard]] std::size_t most_documents(int max_rows) const override;

 private:
  std::string file_;
  TensorRTProfile profile_;
  std::shared_ptr<TensorRTPrograms> programs_;  // cohorts need them to the end
};

}  // namespace kobolt
