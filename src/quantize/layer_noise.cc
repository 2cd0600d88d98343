#include "quantize/layer_noise.h"

#include <algorithm>
#include <vector>

#include "base/aligned.h"
#include "kernels/kernels.h"
#include "quantize/int8.h"

namespace kobolt {
namespace {

// Output features that are looked at together: few enough for their products to stay small.
constexpr int kFeatures = 1024;

class SignalAndNoise {
 public:
  void add(std::span<const float> exact, std::span<const float> rounded) {
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const double x = exact[i];
      const double lost = x - static_cast<double>(rounded[i]);
      signal_ += x * x;
      noise_ += lost * lost;
    }
  }
  [[nodiscard]] double db() const { return decibels(signal_, noise_); }

 private:
  double signal_ = 0;
  double noise_ = 0;
};

void round_rows(std::span<float> weights, std::size_t k) {
  for (std::size_t at = 0; at < weights.size(); at += k) {
    const std::span<float> row = weights.subspan(at, k);
    round_to_int8(row, largest_magnitude(row));
  }
}

/// y [m, n] = x [m, k] . w [n, k]^T.
std::vector<float> product(Executor& executor, std::span<const float> x, int m,
                           std::span<const float> w, int k) {
  const int n = static_cast<int>(w.size()) / k;
  AlignedVector<float> packed(kernels::packed_f32_size(n, k));
  kernels::pack_f32(w.data(), k, n, k, packed.data());
  std::vector<float> y(static_cast<std::size_t>(m) * static_cast<std::size_t>(n));
  const Linear linear{.weight = kernels::PackedF32{.data = packed.data(), .n = n, .k = k}};
  executor.linear(executor.operand(x.data(), k, m, k), linear, {.y = y.data(), .ldy = n});
  return y;
}

}  // namespace

LayerNoise layer_noise(const RowSample& inputs, float clip, const Tensor& weight,
                       ThreadPool& pool) {
  Executor executor(pool, RowFormat::floats);
  const int m = inputs.rows();
  const int k = inputs.columns();
  const std::vector<float>& x = inputs.values();
  std::vector<float> rounded_x = x;
  round_to_int8(rounded_x, clip);
  SignalAndNoise input;
  input.add(x, rounded_x);

  const std::vector<float> w = weight.to_f32();
  SignalAndNoise weights;
  SignalAndNoise output;
  const auto columns = static_cast<std::size_t>(k);
  for (std::size_t at = 0; at < w.size(); at += kFeatures * columns) {
    const auto chunk = std::span(w).subspan(at, std::min(kFeatures * columns, w.size() - at));
    std::vector<float> rounded(chunk.begin(), chunk.end());
    round_rows(rounded, columns);
    weights.add(chunk, rounded);
    output.add(product(executor, x, m, chunk, k), product(executor, rounded_x, m, rounded, k));
  }
  return {.input_db = input.db(), .weight_db = weights.db(), .output_db = output.db()};
}

}  // namespace kobolt
