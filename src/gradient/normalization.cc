#include "gradient/normalization.h"

#include <cmath>
#include <cstddef>

namespace kobolt {
namespace {

// With the normalised row h = (x - mean) / s and g = dy gamma:
// dx = (g - mean(g) - h mean(g h)) / s.
void row_backward(const float* x, const std::vector<float>& gamma, float epsilon, float* dy) {
  const std::size_t d = gamma.size();
  const double count = static_cast<double>(d);
  double mean = 0;
  for (std::size_t i = 0; i < d; ++i) mean += x[i];
  mean /= count;
  double variance = 0;
  for (std::size_t i = 0; i < d; ++i) variance += (x[i] - mean) * (x[i] - mean);
  const double inverse = 1.0 / std::sqrt(variance / count + epsilon);
  double gradients = 0;
  double products = 0;
  for (std::size_t i = 0; i < d; ++i) {
    const double g = static_cast<double>(dy[i]) * gamma[i];
    gradients += g;
    products += g * (x[i] - mean) * inverse;
  }
  gradients /= count;
  products /= count;
  for (std::size_t i = 0; i < d; ++i) {
    const double g = static_cast<double>(dy[i]) * gamma[i];
    dy[i] = static_cast<float>((g - gradients - (x[i] - mean) * inverse * products) * inverse);
  }
}

}  // namespace

void layer_norm_backward(const float* x, int rows, const std::vector<float>& gamma, float epsilon,
                         float* dy) {
  const auto d = static_cast<std::ptrdiff_t>(gamma.size());
  for (int i = 0; i < rows; ++i) row_backward(x + i * d, gamma, epsilon, dy + i * d);
}

}  // namespace kobolt
