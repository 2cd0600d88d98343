#pragma once

#include <functional>
#include <string>

#include "export/onnx/layers.h"

namespace kobolt::onnx {

/// x + f(x) in fp32 with the layer norm `norm`, before f or after the sum as the model has it.
Value residual(const Layers& layers, const std::string& norm, const Value& x,
               const std::function<Value(const Value&)>& f);

/// The ffn of a layer, such as "encoder.layers.0", with its residual and norm.
Value feed_forward(const Layers& layers, const std::string& layer, const Value& x);

/// The norm after the last layer of a side, where the model has one.
Value finished(const Layers& layers, const std::string& side, const Value& x);

}  // namespace kobolt::onnx
