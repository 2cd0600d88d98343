#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/scalar.h"
#include "kernels/top_k.h"

namespace kobolt::kernels::scalar {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The largest value; NaN counts as -infinity.
float largest_of(const float* x, int n) {
  float largest = -kInfinity;
  for (int i = 0; i < n; ++i) {
    if (x[i] > largest) largest = x[i];
  }
  return largest;
}

}  // namespace

float activation_of(Activation activation, float x) {
  constexpr float kSqrtHalf = 0.70710678F;
  constexpr float kSqrtTwoOverPi = 0.79788456F;
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::gelu:
      return 0.5F * x * (1.0F + std::erf(x * kSqrtHalf));
    case Activation::gelu_new:
      return 0.5F * x * (1.0F + std::tanh(kSqrtTwoOverPi * (x + 0.044715F * x * x * x)));
    case Activation::relu:
      return std::max(x, 0.0F);
    case Activation::silu:
      return x / (1.0F + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
  }
  return x;
}

void activate(Activation activation, float* x, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) x[i] = activation_of(activation, x[i]);
}

void add(const float* x, float* y, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) y[i] += x[i];
}

void layer_norm(const float* x, std::ptrdiff_t ldx, int m, int d, const float* gamma,
                const float* beta, float epsilon, float* y, std::ptrdiff_t ldy) {
  const auto size = static_cast<float>(d);
  for (int i = 0; i < m; ++i) {
    const float* in = x + i * ldx;
    float* out = y + i * ldy;
    const float mean = std::accumulate(in, in + d, 0.0F) / size;
    float squares = 0.0F;
    for (int j = 0; j < d; ++j) squares += (in[j] - mean) * (in[j] - mean);
    const float inverse = 1.0F / std::sqrt(squares / size + epsilon);
    for (int j = 0; j < d; ++j) out[j] = (in[j] - mean) * inverse * gamma[j] + beta[j];
  }
}

void softmax(float* x, std::ptrdiff_t ldx, int m, int n) {
  for (int i = 0; i < m; ++i) {
    float* row = x + i * ldx;
    const float largest = largest_of(row, n);
    // Exponents of a row of -infinity: taken from 0 they vanish instead of becoming NaN.
    const float shift = largest == -kInfinity ? 0.0F : largest;
    float sum = 0.0F;
    for (int j = 0; j < n; ++j) {
      row[j] = std::exp(row[j] - shift);
      sum += row[j];
    }
    const float inverse = sum > 0.0F ? 1.0F / sum : 0.0F;
    for (int j = 0; j < n; ++j) row[j] *= inverse;
  }
}

float log_sum_exp(const float* x, int n) {
  const float largest = largest_of(x, n);
  if (largest == -kInfinity) return -kInfinity;
  float sum = 0.0F;
  for (int i = 0; i < n; ++i) sum += std::exp(x[i] - largest);
  return largest + std::log(sum);
}

int argmax(const float* x, int n) {
  int best = 0;
  for (int i = 1; i < n; ++i) {
    if (x[i] > x[best] || (std::isnan(x[best]) && x[i] > -kInfinity)) best = i;
  }
  return best;
}

void top_k_add(const float* x, int n, std::int32_t first, TopKHeap& heap) {
  for (int i = 0; i < n; ++i) heap.offer(x[i], first + i);
}

}  // namespace kobolt::kernels::scalar
