#pragma once

#include <NvInfer.h>

#include <string_view>

#include "export/tensorrt/component.h"

namespace kobolt {

/// The least, best and most sizes of one input. Axes that the network fixes stay as they are.
struct InputShapes {
  nvinfer1::Dims least;
  nvinfer1::Dims best;
  nvinfer1::Dims most;
};

/// For the input `name` of the network `graph` ("encoder", "decoder", "decoder_with_past").
InputShapes input_shapes(std::string_view graph, std::string_view name,
                         const nvinfer1::Dims& network, const TensorRTProfile& profile);

}  // namespace kobolt
