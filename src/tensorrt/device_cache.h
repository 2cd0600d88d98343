#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tensorrt/cuda.h"
#include "tensorrt/plan.h"

namespace kobolt {

/// One key or value of one layer on the device, [rows, heads, length, head_dim].
struct CachedTensor {
  std::string past;        ///< its name as an input
  std::string present;     ///< as an output
  nvinfer1::Dims shape{};  ///< rows and length not set
  std::size_t element_size = 0;
  DeviceBuffer now;   ///< what the next step reads
  DeviceBuffer then;  ///< what is written meanwhile; then they change places

  [[nodiscard]] nvinfer1::Dims sized(int rows, int length) const;
  [[nodiscard]] std::size_t bytes(int rows, int length) const;
  /// `then` holds one position of `rows` rows: the first of `length` in `now`, zeros behind it.
  /// What nobody has written yet is multiplied by zero, and must be a number.
  void begin(const CudaStream& stream, int rows, int length);
};

/// Of the later steps' engine, what the summary's tokens (".decoder.") or the document's
/// (".encoder.") have.
std::vector<CachedTensor> cached_tensors(const Plan& plan, std::string_view part);

}  // namespace kobolt
