// Attention, of floats and of integers, in the encoder and in decoding steps.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "kernels/cache.h"
#include "kernels/head_attention.h"
#include "kernels/kernels.h"
#include "kobolt/profile.h"
#include "timing.h"

namespace kobolt::kernels {
namespace {

void attention(benchmark::State& state) {
  const auto m = static_cast<int>(state.range(0));
  const auto length = static_cast<int>(state.range(1));
  constexpr int kHeadDim = 48;
  const AlignedVector<float> q = random(size_of(m, kHeadDim));
  const AlignedVector<float> keys = random(packed_f32_size(length, kHeadDim));
  const AlignedVector<float> values = random(packed_f32_size(kHeadDim, length));
  AlignedVector<float> scratch(attention_scratch(m, length));
  AlignedVector<float> out(size_of(m, kHeadDim));
  repeat(state, [&] {
    kernels::attention(q.data(), kHeadDim, m, {keys.data(), length, kHeadDim},
                       {values.data(), kHeadDim, length}, 0.1F, out.data(), kHeadDim,
                       scratch.data());
  });
  report(state, 4.0 * m * length * kHeadDim, 8.0 * length * kHeadDim);
}
BENCHMARK(attention)->ArgNames({"m", "length"})->Args({512, 512})->Args({4, 512});

/// Packing of keys and values included, as it is part of the kernel. The heads take their parts of
/// rows that hold queries, keys and values of all of them, as in the encoder.
void head_attention(benchmark::State& state, decltype(&kernels::head_attention_i16) attend,
                    decltype(&kernels::head_attention_i16_scratch) scratch_size,
                    Arithmetic arithmetic) {
  const auto length = static_cast<int>(state.range(0));
  const auto head_dim = static_cast<int>(state.range(1));
  constexpr int kHeads = 8;
  const std::ptrdiff_t width = std::ptrdiff_t{kHeads} * head_dim;
  const AlignedVector<float> qkv = random(size_of(length, static_cast<int>(3 * width)));
  AlignedVector<float> scratch(scratch_size(length, head_dim));
  AlignedVector<float> out(size_of(length, static_cast<int>(width)));
  repeat(state, [&] {
    for (int head = 0; head < kHeads; ++head) {
      const float* q = qkv.data() + std::ptrdiff_t{head} * head_dim;
      attend(q, q + width, q + 2 * width, 3 * width, length, head_dim, 0.1F,
             out.data() + std::ptrdiff_t{head} * head_dim, width, scratch.data());
    }
  });
  report(state, kHeads * 4.0 * length * length * head_dim, kHeads * 16.0 * length * head_dim,
         arithmetic);
}
void head_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"length", "head_dim"})
      ->Args({24, 32})
      ->Args({64, 32})
      ->Args({130, 32})
      ->Args({64, 48})
      ->Args({512, 48});
}
void head_attention_i16(benchmark::State& state) {
  head_attention(state, kernels::head_attention_i16, kernels::head_attention_i16_scratch,
                 Arithmetic::pairs);
}
BENCHMARK(head_attention_i16)->Apply(head_sizes);

void head_attention_i8(benchmark::State& state) {
  if (skipped_without_bytes(state)) return;
  head_attention(state, kernels::head_attention_i8, kernels::head_attention_i8_scratch,
                 Arithmetic::bytes);
}
BENCHMARK(head_attention_i8)->Apply(head_sizes);

/// Of the rows of one document, its beams, as in a decoding step.
void attention_i8(benchmark::State& state) {
  const auto m = static_cast<int>(state.range(0));
  const auto length = static_cast<int>(state.range(1));
  const auto head_dim = static_cast<int>(state.range(2));
  const AlignedVector<float> q = random(size_of(m, head_dim));
  const AlignedVector<std::int8_t> keys(packed_i8_size(length, head_dim), 3);
  const AlignedVector<std::int8_t> values(packed_i8_size(head_dim, length), 3);
  const AlignedVector<float> scales(size_of(1, padded(std::max(length, head_dim))), 0.01F);
  AlignedVector<float> scratch(attention_scratch_i8(m, length, head_dim));
  AlignedVector<float> out(size_of(m, head_dim));
  repeat(state, [&] {
    kernels::attention_i8(q.data(), head_dim, m, {keys.data(), scales.data(), length, head_dim},
                          {values.data(), scales.data(), head_dim, length}, 0.1F, out.data(),
                          head_dim, scratch.data());
  });
  report(state, 4.0 * m * length * head_dim, 2.0 * length * head_dim, Arithmetic::pairs);
}
BENCHMARK(attention_i8)
    ->ArgNames({"m", "length", "head_dim"})
    ->Args({1, 64, 32})
    ->Args({4, 64, 32})
    ->Args({4, 184, 48})
    ->Args({4, 512, 48});

/// The same over the heads of many documents, one after the other: each is read from memory.
void attention_i8_of_many(benchmark::State& state) {
  const auto m = static_cast<int>(state.range(0));
  const auto length = static_cast<int>(state.range(1));
  const auto head_dim = static_cast<int>(state.range(2));
  constexpr std::size_t kHeads = 4096;
  const AlignedVector<float> q = random(size_of(m, head_dim));
  const std::size_t keys = packed_i8_size(length, head_dim);
  const std::size_t values = packed_i8_size(head_dim, length);
  const std::size_t of_keys = size_of(1, padded(length)) * sizeof(float);
  const std::size_t of_values = size_of(1, padded(head_dim)) * sizeof(float);
  const std::size_t size = keys + values + of_keys + of_values;
  AlignedVector<std::int8_t> cache(kHeads * size, std::int8_t{0});
  AlignedVector<float> scratch(attention_scratch_i8(m, length, head_dim));
  AlignedVector<float> out(size_of(m, head_dim));
  std::size_t head = 0;
  repeat(state, [&] {
    const std::int8_t* at = cache.data() + head * size;
    const auto* key_scales = reinterpret_cast<const float*>(at + keys + values);
    const auto* value_scales = reinterpret_cast<const float*>(at + keys + values + of_keys);
    kernels::attention_i8(q.data(), head_dim, m, {at, key_scales, length, head_dim},
                          {at + keys, value_scales, head_dim, length}, 0.1F, out.data(), head_dim,
                          scratch.data());
    head = (head + 1) % kHeads;
  });
  report(state, 4.0 * m * length * head_dim, 2.0 * length * head_dim, Arithmetic::pairs);
}
BENCHMARK(attention_i8_of_many)->ArgNames({"m", "length", "head_dim"})->Args({4, 184, 48});

void attention_step(benchmark::State& state) {
  const auto length = static_cast<int>(state.range(0));
  constexpr int kHeads = 16;
  constexpr int kHeadDim = 48;
  constexpr int kWidth = kHeads * kHeadDim;
  const AlignedVector<float> q = random(kWidth);
  const AlignedVector<float> keys = random(size_of(length, kWidth));
  const AlignedVector<float> values = random(size_of(length, kWidth));
  AlignedVector<std::int32_t> rows(static_cast<std::size_t>(length));
  std::iota(rows.begin(), rows.end(), 0);
  AlignedVector<float> scratch(size_of(kHeads, length));
  AlignedVector<float> out(kWidth);
  repeat(state, [&] {
    kernels::attention_step(q.data(), keys.data(), values.data(), kWidth, rows.data(), length,
                            kHeads, kHeadDim, 0.1F, out.data(), scratch.data());
  });
  report(state, 4.0 * length * kWidth, 8.0 * length * kWidth);
}
BENCHMARK(attention_step)->ArgName("length")->Arg(32)->Arg(128);

/// The same over a cache in int8, which is of zeros: what numbers it holds does not matter.
void attention_step_i8(benchmark::State& state) {
  const auto length = static_cast<int>(state.range(0));
  const auto heads = static_cast<int>(state.range(1));
  const auto head_dim = static_cast<int>(state.range(2));
  const int width = heads * head_dim;
  const AlignedVector<float> q = random(size_of(1, width));
  const AlignedVector<std::int8_t> cache(size_of(length, width), std::int8_t{0});
  const AlignedVector<float> scales(size_of(length, heads), 0.01F);
  AlignedVector<std::int32_t> rows(static_cast<std::size_t>(length));
  std::iota(rows.begin(), rows.end(), 0);
  AlignedVector<float> scratch(size_of(heads, length));
  AlignedVector<float> out(q.size());
  const CacheRowsI8 of{cache.data(), scales.data(), width, heads};
  repeat(state, [&] {
    kernels::attention_step_i8(q.data(), of, of, rows.data(), length, heads, head_dim, 0.1F,
                               out.data(), scratch.data());
  });
  report(state, 4.0 * length * width, 2.0 * length * width);
}
BENCHMARK(attention_step_i8)
    ->ArgNames({"length", "heads", "head_dim"})
    ->Args({8, 8, 32})
    ->Args({16, 8, 32})
    ->Args({64, 16, 48});

}  // namespace
}  // namespace kobolt::kernels
