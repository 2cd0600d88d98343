#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libtorch/steps.h"
#include "runtime/cohorts.h"

namespace kobolt {

/// Generation's back end over LibTorch: documents of a cohort are padded to the longest, and the
/// caches of a step are gathered by the rows that it continues, as transformers does.
class TorchBackend : public CohortBackend {
 public:
  TorchBackend(std::shared_ptr<TorchSteps> steps, int vocab_size, int max_positions, int threads);

  void encode_hidden(std::span<const std::vector<std::int32_t>> documents, float* hidden) override;

 protected:
  std::unique_ptr<Cohort> start(std::span<const std::vector<std::int32_t>> documents, int max_rows,
                                int max_length) override;
  [[nodiscard]] std::size_t most_documents(int max_rows) const override;

 private:
  std::shared_ptr<TorchSteps> steps_;
};

}  // namespace kobolt
