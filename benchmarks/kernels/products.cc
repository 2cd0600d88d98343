// Products with dense matrices.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "base/aligned.h"
#include "kernels/bf16.h"
#include "kernels/bytes.h"
#include "kernels/kernels.h"
#include "kernels/logit_sink.h"
#include "kobolt/profile.h"
#include "product.h"
#include "timing.h"

namespace kobolt::kernels {
namespace {

void gemm_f32(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const AlignedVector<float> values = random(packed_f32_size(n, k));
  const AlignedVector<float> packed(values.begin(), values.end());
  time_product(state, kernels::gemm_f32, PackedF32{packed.data(), n, k}, 4.0 * n * k);
}
BENCHMARK(gemm_f32)->Apply(product_shapes);

/// Values that are 0.5 to 1 in binary16 and about 0.01 in bfloat16: no zeros, subnormals or
/// infinities.
AlignedVector<std::uint16_t> weights_of_16_bits(int n, int k) {
  return AlignedVector<std::uint16_t>(packed_16_size(n, k), 0x3A12);
}

void gemm_f16(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const auto packed = weights_of_16_bits(n, k);
  time_product(state, kernels::gemm_f16, PackedF16{packed.data(), n, k}, 2.0 * n * k);
}
BENCHMARK(gemm_f16)->Apply(product_shapes);

void gemm_bf16(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const auto packed = weights_of_16_bits(n, k);
  time_product(state, kernels::gemm_bf16, PackedBF16{packed.data(), n, k}, 2.0 * n * k);
}
BENCHMARK(gemm_bf16)->Apply(product_shapes);

void gemm_bf16_bf16(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const auto packed = weights_of_16_bits(n, k);
  time_product_of_bf16(state, kernels::gemm_bf16_bf16, PackedBF16{packed.data(), n, k},
                       2.0 * n * k);
}
BENCHMARK(gemm_bf16_bf16)->Apply(product_shapes);

void gemm_i8(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  AlignedVector<std::int8_t> packed(packed_i8_size(n, k));
  std::iota(packed.begin(), packed.end(), std::int8_t{0});
  const AlignedVector<float> scales = random(static_cast<std::size_t>(padded(n)));
  time_product_of_pairs(state, kernels::gemm_i8, PackedI8{packed.data(), scales.data(), n, k},
                        1.0 * n * k);
}
BENCHMARK(gemm_i8)->Apply(product_shapes);

/// Random weights, with the sums of their columns.
struct ByteMatrix {
  ByteMatrix(int n, int k)
      : packed(packed_i8_size(n, k)),
        scales(static_cast<std::size_t>(padded(n)), 0.01F),
        sums(scales.size()) {
    std::mt19937 generator(3);
    std::uniform_int_distribution<int> distribution(-127, 127);
    for (std::int8_t& weight : packed) weight = static_cast<std::int8_t>(distribution(generator));
    view = {.data = packed.data(), .scales = scales.data(), .n = n, .k = k};
    sum_columns(view, sums.data());
    view.sums = sums.data();
  }
  AlignedVector<std::int8_t> packed;
  AlignedVector<float> scales;
  AlignedVector<std::int32_t> sums;
  PackedI8 view;
};

void gemm_u8_i8(benchmark::State& state) {
  if (skipped_without_bytes(state)) return;
  const auto [m, k, n] = product_size(state);
  const ByteMatrix w(n, k);
  time_product_of_bytes(state, kernels::gemm_u8_i8, w.view, 1.0 * n * k);
}
BENCHMARK(gemm_u8_i8)->Apply(product_shapes);

/// The output projection, of which sums and the best 8 are all that is kept.
void gemm_u8_i8_logits(benchmark::State& state) {
  if (skipped_without_bytes(state)) return;
  const auto [m, k, n] = product_size(state);
  constexpr int kBest = 8;
  const RandomByteRows rows(m, k);
  const ByteMatrix w(n, k);
  const auto lanes = static_cast<std::size_t>(m) * kPanel;
  AlignedVector<float> shifts(static_cast<std::size_t>(m));
  AlignedVector<float> sums(lanes);
  AlignedVector<float> bounds(shifts.size());
  const AlignedVector<float> first_logits(shifts.size(), 0.0F);
  AlignedVector<float> values(static_cast<std::size_t>(m * kBest));
  AlignedVector<std::int32_t> tokens(values.size());
  std::vector<TopKHeap> best;
  repeat(state, [&, m = m, n = n] {
    best.clear();
    for (std::size_t i = 0; i < values.size(); i += kBest) {
      best.emplace_back(kBest, &values[i], &tokens[i]);
    }
    const LogitSink sink{
        .shifts = shifts.data(), .sums = sums.data(), .bounds = bounds.data(), .best = best.data()};
    sink.start(m, first_logits.data());
    gemm_u8_i8(rows.view(), m, w.view, 0, panels(n), nullptr, 0, {.sink = &sink});
  });
  report(state, 2.0 * m * n * k, 1.0 * n * k, Arithmetic::bytes);
}
BENCHMARK(gemm_u8_i8_logits)
    ->ArgNames({"m", "k", "n"})
    ->Args({4, 768, 30000})
    ->Args({32, 768, 30000})
    ->Args({128, 768, 30000})
    ->Args({64, 256, 8000});

void gemm_u8_i4(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const AlignedVector<std::uint8_t> packed(packed_i4_size(n, k), 0x3B);
  time_product_of_bytes(state, kernels::gemm_u8_i4, PackedI4{packed.data(), n, k},
                        static_cast<double>(packed.size()));
}
BENCHMARK(gemm_u8_i4)->Apply(product_shapes);

}  // namespace
}  // namespace kobolt::kernels
