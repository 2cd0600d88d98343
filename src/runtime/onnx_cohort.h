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
      : graphs_(std::move(graphs)), vocab_size_(vocab_size), max_positions_(max_positions) {}

  [[nodiscard]] int vocab_size() const override { return vocab_size_; }
  [[nodiscard]] int max_positions() const override { return max_positions_; }
  [[nodiscard]] int max_document() const override {
    return std::min(max_positions_, graphs_->sequence().value_or(max_positions_));
  }
  void encode_hidden(std::span<const std::vector<std::int32_t>> documents, float* hidden) override;

 protected:
  std::unique_ptr<Cohort> start(std::span<const std::vector<std::int32_t>> documents, int max_rows,
                                int max_length) override;
  [[nodiscard]] std::size_t most_documents(int max_rows) const override;

 private:
  std::unique_ptr<OnnxGraphs> graphs_;
  int vocab_size_;
  int max_positions_;
};

}  // namespace kobolt
