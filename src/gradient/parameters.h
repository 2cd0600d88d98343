#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "kobolt/prune.h"

namespace kobolt {

/// A matrix of the model in float, row-major, and where its gradient is added up.
struct MatrixParameter {
  const float* values = nullptr;
  int rows = 0;
  int columns = 0;
  float* gradient = nullptr;  ///< of the same shape; null: nobody asked for it

  [[nodiscard]] const float* row(int i) const {
    return values + static_cast<std::ptrdiff_t>(i) * columns;
  }
  [[nodiscard]] float* gradient_row(int i) const {
    return gradient + static_cast<std::ptrdiff_t>(i) * columns;
  }
};

/// y = x . W^T + b, W [rows, columns].
struct LinearParameters {
  MatrixParameter weight;
  AlignedVector<float> bias;  ///< [kernels::padded(rows)]
};

struct NormParameters {
  std::vector<float> gamma;
  std::vector<float> beta;
};

/// The model's tensors as floats, with masks applied: f32 tensors stay where they are, others are
/// converted once. Pointers that it hands out live as long as it does.
class Parameters {
 public:
  /// Makes a gradient of zeros for each of the named tensors. `model` outlives this. Throws
  /// Error(invalid_argument) for what is no matrix of weights.
  Parameters(const Model& model, const std::vector<std::string>& asked_for);

  [[nodiscard]] bool has(const std::string& name) const { return model_.tensors.contains(name); }
  /// Throws Error(not_found).
  MatrixParameter matrix(const std::string& name);
  /// `name` without ".weight" and ".bias".
  LinearParameters linear(const std::string& name);
  NormParameters norm(const std::string& name);
  [[nodiscard]] std::vector<float> vector(const std::string& name) const;

  [[nodiscard]] bool wants_gradients() const { return !gradients_.empty(); }
  [[nodiscard]] WeightGradients& gradients() { return gradients_; }

 private:
  const Model& model_;
  std::map<std::string, Tensor> floats_;
  WeightGradients gradients_;
};

}  // namespace kobolt
