#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/cohorts.h"
#include "runtime/onnx_graphs.h"

namespace kobolt {

/// Generation's back end over ONNX Runtime: documents of a cohort are padded to the longest, and
/// the caches of a step are gathered by the rows that it continues.
class OnnxBackend : public CohortBackend {
 public:
  OnnxBackend(std::unique_ptr<OnnxGraphs> graphs, int vocab_size, int max_positions)
      : CohortBackend(vocab_size, max_positions), graphs_(std::move(graphs)) {}

  [[nodiscard]] int max_document() const override {
    return std::min(max_positions(), graphs_->sequence().value_or(max_positions()));
  }
  void encode_hidden(std::span<const std::vector<std::int32_t>> documents, float* hidden) override;

 protected:
  std::unique_ptr<Cohort> start(std::span<const std::vector<std::int32_t>> documents, int max_rows,
                                int max_length) override;
  [[nodiscard]] std::size_t most_documents(int max_rows) const override;

 private:
  std::unique_ptr<OnnxGraphs> graphs_;
};

}  // namespace kobolt
