#include "gradient/parameters.h"

#include <algorithm>
#include <cstdint>

#include "kernels/kernels.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

const float* floats_of(const Tensor& tensor) {
  return reinterpret_cast<const float*>(tensor.bytes.data());
}

// As it is where its elements can be read in place: files promise no alignment.
Tensor as_floats(const Tensor& tensor) {
  const auto address = reinterpret_cast<std::uintptr_t>(tensor.bytes.data());
  if (tensor.dtype == DType::f32 && address % alignof(float) == 0) return tensor;
  return Tensor::from_f32(tensor.shape, tensor.to_f32());
}

}  // namespace

Parameters::Parameters(const Model& model, const std::vector<std::string>& asked_for)
    : model_(model) {
  for (const std::string& name : asked_for) {
    const Tensor& tensor = model.tensor(name);
    if (tensor.shape.size() != 2 || name == "final_logits_bias") {
      throw Error(ErrorKind::invalid_argument, "gradients are there for matrices of weights only",
                  {.file = model.provenance.source, .field = name});
    }
    gradients_[name].resize(static_cast<std::size_t>(tensor.elements()));
  }
}

MatrixParameter Parameters::matrix(const std::string& name) {
  auto found = floats_.find(name);
  if (found == floats_.end()) {
    found = floats_.emplace(name, as_floats(model_.effective_tensor(name))).first;
  }
  const Tensor& tensor = found->second;
  const auto gradient = gradients_.find(name);
  return {.values = floats_of(tensor),
          .rows = static_cast<int>(tensor.shape.at(0)),
          .columns = static_cast<int>(tensor.shape.at(1)),
          .gradient = gradient == gradients_.end() ? nullptr : gradient->second.data()};
}

LinearParameters Parameters::linear(const std::string& name) {
  LinearParameters linear{.weight = matrix(name + ".weight"), .bias = {}};
  const std::vector<float> bias = vector(name + ".bias");
  linear.bias.resize(static_cast<std::size_t>(kernels::padded(linear.weight.rows)));
  std::ranges::fill(linear.bias, 0.0F);
  std::ranges::copy(bias, linear.bias.begin());
  return linear;
}

NormParameters Parameters::norm(const std::string& name) {
  return {.gamma = vector(name + ".weight"), .beta = vector(name + ".bias")};
}

std::vector<float> Parameters::vector(const std::string& name) const {
  return model_.effective_tensor(name).to_f32();
}

}  // namespace kobolt
