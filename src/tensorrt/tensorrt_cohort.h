#pragma once

#include <memory>
#include <vector>

#include "export/tensorrt/plan_file.h"
#include "runtime/cohorts.h"
#include "tensorrt/plan.h"

namespace kobolt {

/// The three engines of a file, on the device.
struct TensorRTPrograms {
  /// Throws Error.
  TensorRTPrograms(const PlanFile& file, TensorRTLog& log);

  CudaStream stream;
  std::unique_ptr<nvinfer1::IRuntime> runtime;  // outlives what it has loaded
  Plan encoder;
  Plan decoder;
  Plan decoder_with_past;
};

/// Generation's back end over TensorRT. Hidden states, caches and logits stay on the device; the
/// best tokens of each row come back.
class TensorRTBackend : public CohortBackend {
 public:
  TensorRTBackend(const PlanFile& file, TensorRTLog& log);

  [[nodiscard]] int vocab_size() const override { return vocab_size_; }
  [[nodiscard]] int max_positions() const override { return profile_.max_positions; }
  [[nodiscard]] int max_document() const override { return profile_.max_sequence; }

 protected:
  std::unique_ptr<Cohort> start(std::span<const std::vector<std::int32_t>> documents, int max_rows,
                                int max_length) override;
  [[nodiscard]] std::size_t most_documents(int max_rows) const override;

 private:
  std::string file_;
  TensorRTProfile profile_;
  int vocab_size_;
  TensorRTPrograms programs_;
};

}  // namespace kobolt
