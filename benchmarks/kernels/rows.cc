// What is done to rows between products: normalising, rounding, activation, picking the best.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/bytes.h"
#include "kernels/cache.h"
#include "kernels/kernels.h"
#include "timing.h"

namespace kobolt::kernels {
namespace {

void narrow_heads_i8(benchmark::State& state) {
  constexpr int kHeads = 8;
  constexpr int kHeadDim = 32;
  const AlignedVector<float> x = random(kHeads * kHeadDim);
  AlignedVector<std::int8_t> out(x.size());
  AlignedVector<float> scales(kHeads);
  repeat(state,
         [&] { kernels::narrow_heads_i8(x.data(), kHeads, kHeadDim, out.data(), scales.data()); });
  report(state, 0, 4.0 * kHeads * kHeadDim);
}
BENCHMARK(narrow_heads_i8);

constexpr int kRows = 16;
constexpr int kWidth = 768;

void layer_norm(benchmark::State& state) {
  const AlignedVector<float> x = random(kRows * kWidth);
  const AlignedVector<float> weights = random(kWidth);
  AlignedVector<float> y(kRows * kWidth);
  repeat(state, [&] {
    kernels::layer_norm(x.data(), kWidth, kRows, kWidth, weights.data(), weights.data(), 1e-5F,
                        y.data(), kWidth);
  });
  report(state, 0, 8.0 * kRows * kWidth);
}
BENCHMARK(layer_norm);

void round_rows_bf16(benchmark::State& state) {
  if (!prefers_bf16_rows()) {
    state.SkipWithError("not for this instruction set");
    return;
  }
  const AlignedVector<float> x = random(kRows * kWidth);
  AlignedVector<std::uint16_t> q(kRows * kWidth);
  repeat(state,
         [&] { kernels::round_rows_bf16(x.data(), kWidth, kRows, kWidth, q.data(), kWidth); });
  report(state, 0, 6.0 * kRows * kWidth);
}
BENCHMARK(round_rows_bf16);

void quantize_rows(benchmark::State& state) {
  const AlignedVector<float> x = random(kRows * kWidth);
  AlignedVector<std::int16_t> q(kRows * kWidth);
  AlignedVector<float> scales(kRows);
  repeat(state, [&] {
    kernels::quantize_rows(x.data(), kWidth, kRows, kWidth, q.data(), kWidth, scales.data());
  });
  report(state, 0, 6.0 * kRows * kWidth);
}
BENCHMARK(quantize_rows);

void quantize_rows_u8(benchmark::State& state) {
  const AlignedVector<float> x = random(kRows * kWidth);
  AlignedVector<std::uint8_t> q(kRows * kWidth);
  AlignedVector<float> scales(kRows);
  AlignedVector<std::int32_t> zeros(kRows);
  repeat(state, [&] {
    kernels::quantize_rows_u8(x.data(), kWidth, kRows, kWidth, q.data(), kWidth, scales.data(),
                              zeros.data());
  });
  report(state, 0, 5.0 * kRows * kWidth);
}
BENCHMARK(quantize_rows_u8);

void gelu(benchmark::State& state) {
  const AlignedVector<float> inputs = random(4096);
  AlignedVector<float> x(inputs.size());
  repeat(state, [&] {
    x = inputs;  // in place: without new inputs they would all go to zero
    activate(Activation::gelu, x.data(), x.size());
  });
  report(state, 0, 8.0 * 4096);
}
BENCHMARK(gelu);

constexpr int kVocabulary = 30000;

void top_k(benchmark::State& state) {
  const auto count = static_cast<int>(state.range(0));
  const AlignedVector<float> x = random(kVocabulary);
  AlignedVector<float> values(static_cast<std::size_t>(count));
  AlignedVector<std::int32_t> indices(static_cast<std::size_t>(count));
  repeat(state,
         [&] { kernels::top_k(x.data(), kVocabulary, count, values.data(), indices.data()); });
  report(state, 0, 4.0 * kVocabulary);
}
BENCHMARK(top_k)->ArgName("count")->Arg(1)->Arg(8);

void log_sum_exp(benchmark::State& state) {
  const AlignedVector<float> x = random(kVocabulary);
  for ([[maybe_unused]] const auto _ : state)
    benchmark::DoNotOptimize(kernels::log_sum_exp(x.data(), kVocabulary));
  report(state, 0, 4.0 * kVocabulary);
}
BENCHMARK(log_sum_exp);

}  // namespace
}  // namespace kobolt::kernels
