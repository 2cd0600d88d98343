#pragma once

#include "kobolt/tensor.h"
#include "quantize/row_sample.h"
#include "runtime/executor.h"

namespace kobolt {

/// What int8 costs one layer, as signal to noise in dB.
struct LayerNoise {
  double input_db = 0;
  double weight_db = 0;
  double output_db = 0;
};

/// Of x . W^T for the sampled rows x and weight W [n, k]: with x in int8 up to `clip`, with W in
/// int8 with a clip for each of its rows, and with both.
LayerNoise layer_noise(const RowSample& inputs, float clip, const Tensor& weight, ThreadPool& pool);

}  // namespace kobolt
