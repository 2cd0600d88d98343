// The kernels at the shapes of KoBART (d_model 768, ffn 3072, vocabulary 30000), single-threaded.
// Time is the thread's CPU time, so that a shared machine disturbs as little as it can. The
// ceilings of the instruction set in use are measured first; "%op" is the share of the arithmetic
// one (fp32, pairs of int16 or bytes), "%read" of reading memory, which data that stays in a cache
// can exceed.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "benchmark/ceilings.h"
#include "kernels/bytes.h"
#include "kernels/cache.h"
#include "kernels/head_attention.h"
#include "kernels/kernels.h"
#include "kernels/logit_sink.h"
#include "kernels/sparse.h"
#include "kobolt/profile.h"

namespace kobolt::kernels {
namespace {

std::vector<float> random(std::size_t count) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> distribution(-1.0F, 1.0F);
  std::vector<float> values(count);
  for (float& value : values) value = distribution(generator);
  return values;
}

std::size_t size_of(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows * columns);
}

Ceilings ceilings;  // of one thread and the set in use; zeros where they cannot be measured

/// Work done in one iteration.
void report(benchmark::State& state, double operations, double bytes,
            Arithmetic arithmetic = Arithmetic::fp32) {
  const auto rate = [&](const char* name, double amount) {
    if (amount > 0) {
      state.counters[name] =
          benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
    }
  };
  rate("op/s", operations);
  rate("B/s", bytes);
  if (ceilings.fp32 <= 0) return;
  const MachineCeilings most{
      .fp32 = ceilings.fp32, .pairs = ceilings.pairs, .bytes = ceilings.bytes};
  rate("%op", 100.0 * operations / (1e9 * most.operations(arithmetic)));
  rate("%read", 100.0 * bytes / (1e9 * ceilings.read));
}

/// The arguments of a product of m rows of k values with n columns.
struct ProductSize {
  int m;
  int k;
  int n;
};
ProductSize product_size(const benchmark::State& state) {
  const auto argument = [&](std::size_t i) { return static_cast<int>(state.range(i)); };
  return {argument(0), argument(1), argument(2)};
}

void gemm_f32(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const std::vector<float> a = random(size_of(m, k));
  const std::vector<float> values = random(packed_f32_size(n, k));
  const AlignedVector<float> packed(values.begin(), values.end());
  std::vector<float> c(size_of(m, n));
  for ([[maybe_unused]] const auto _ : state) {
    kernels::gemm_f32(a.data(), k, m, {packed.data(), n, k}, 0, panels(n), c.data(), n, {});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * m * n * k, 4.0 * n * k);
}

template <auto kGemm, class Packed>
void gemm_16(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const std::vector<float> a = random(size_of(m, k));
  // 0.5 to 1 in binary16 and about 0.01 in bfloat16: no zeros, subnormals or infinities.
  const AlignedVector<std::uint16_t> packed(packed_16_size(n, k), 0x3A12);
  std::vector<float> c(size_of(m, n));
  for ([[maybe_unused]] const auto _ : state) {
    kGemm(a.data(), k, m, Packed{packed.data(), n, k}, 0, panels(n), c.data(), n, {});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * m * n * k, 2.0 * n * k);
}
void gemm_f16(benchmark::State& state) { gemm_16<kernels::gemm_f16, PackedF16>(state); }
void gemm_bf16(benchmark::State& state) { gemm_16<kernels::gemm_bf16, PackedBF16>(state); }

/// Random rows of int16 or of bytes, as products take them.
struct PairRows {
  PairRows(int m, int k) : a(size_of(m, 2 * pairs(k))), scales(static_cast<std::size_t>(m)) {
    const std::vector<float> x = random(size_of(m, k));
    quantize_rows(x.data(), k, m, k, a.data(), 2 * pairs(k), scales.data());
  }
  std::vector<std::int16_t> a;
  std::vector<float> scales;
};
struct ByteRows {
  ByteRows(int m, int k)
      : ld(static_cast<std::ptrdiff_t>(groups(k)) * kGroup4),
        a(size_of(m, ld)),
        scales(static_cast<std::size_t>(m)),
        zeros(scales.size()) {
    const std::vector<float> x = random(size_of(m, k));
    quantize_rows_u8(x.data(), k, m, k, a.data(), ld, scales.data(), zeros.data());
  }
  [[nodiscard]] RowsU8 view() const { return {a.data(), ld, scales.data(), zeros.data()}; }
  std::ptrdiff_t ld;
  std::vector<std::uint8_t> a;
  std::vector<float> scales;
  std::vector<std::int32_t> zeros;
};

void gemm_u8_i4(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const ByteRows rows(m, k);
  const AlignedVector<std::uint8_t> packed(packed_i4_size(n, k), 0x3B);
  std::vector<float> c(size_of(m, n));
  for ([[maybe_unused]] const auto _ : state) {
    kernels::gemm_u8_i4(rows.view(), m, {packed.data(), n, k}, 0, panels(n), c.data(), n, {});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * m * n * k, static_cast<double>(packed.size()), Arithmetic::bytes);
}

void gemm_i8(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const PairRows rows(m, k);
  AlignedVector<std::int8_t> packed(packed_i8_size(n, k));
  std::iota(packed.begin(), packed.end(), std::int8_t{0});
  const std::vector<float> scales = random(static_cast<std::size_t>(padded(n)));
  std::vector<float> c(size_of(m, n));
  for ([[maybe_unused]] const auto _ : state) {
    kernels::gemm_i8(rows.a.data(), 2 * pairs(k), rows.scales.data(), m,
                     {packed.data(), scales.data(), n, k}, 0, panels(n), c.data(), n, {});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * m * n * k, 1.0 * n * k, Arithmetic::pairs);
}

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
  std::vector<float> scales;
  std::vector<std::int32_t> sums;
  PackedI8 view;
};

void gemm_u8_i8(benchmark::State& state) {
  if (!prefers_byte_rows()) {
    state.SkipWithError("not for this instruction set");
    return;
  }
  const auto [m, k, n] = product_size(state);
  const ByteRows rows(m, k);
  const ByteMatrix w(n, k);
  std::vector<float> c(size_of(m, n));
  for ([[maybe_unused]] const auto _ : state) {
    kernels::gemm_u8_i8(rows.view(), m, w.view, 0, panels(n), c.data(), n, {});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * m * n * k, 1.0 * n * k, Arithmetic::bytes);
}

/// The output projection, of which sums and the best 8 are all that is kept.
void gemm_u8_i8_logits(benchmark::State& state) {
  if (!prefers_byte_rows()) {
    state.SkipWithError("not for this instruction set");
    return;
  }
  const auto [m, k, n] = product_size(state);
  constexpr int kBest = 8;
  const ByteRows rows(m, k);
  const ByteMatrix w(n, k);
  const auto lanes = static_cast<std::size_t>(m) * kPanel;
  std::vector<float> shifts(lanes);
  std::vector<float> sums(lanes);
  std::vector<float> bounds(lanes);
  const std::vector<float> first_shifts(static_cast<std::size_t>(m));
  std::vector<float> values(static_cast<std::size_t>(m * kBest));
  std::vector<std::int32_t> tokens(values.size());
  std::vector<TopKHeap> best;
  for ([[maybe_unused]] const auto _ : state) {
    best.clear();
    for (std::size_t i = 0; i < values.size(); i += kBest) {
      best.emplace_back(kBest, &values[i], &tokens[i]);
    }
    const LogitSink sink{
        .shifts = shifts.data(), .sums = sums.data(), .bounds = bounds.data(), .best = best.data()};
    sink.start(m, first_shifts.data());
    gemm_u8_i8(rows.view(), m, w.view, 0, panels(n), nullptr, 0, {.sink = &sink});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * m * n * k, 1.0 * n * k, Arithmetic::bytes);
}

void product_shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"m", "k", "n"});
  for (const int m : {1, 4, 8, 16, 32, 192, 512}) {
    if (m <= 32) benchmark->Args({m, 768, 768});
    benchmark->Args({m, 768, 3072});
    benchmark->Args({m, 3072, 768});
    if (m <= 32) benchmark->Args({m, 768, 30000});
  }
  // steps of a small model, many documents at once
  benchmark->Args({64, 256, 1024});
  benchmark->Args({64, 1024, 256});
}
BENCHMARK(gemm_f32)->Apply(product_shapes);
BENCHMARK(gemm_f16)->Apply(product_shapes);
BENCHMARK(gemm_bf16)->Apply(product_shapes);
BENCHMARK(gemm_i8)->Apply(product_shapes);
BENCHMARK(gemm_u8_i8)->Apply(product_shapes);
BENCHMARK(gemm_u8_i8_logits)
    ->ArgNames({"m", "k", "n"})
    ->Args({4, 768, 30000})
    ->Args({32, 768, 30000})
    ->Args({64, 256, 8000});
BENCHMARK(gemm_u8_i4)->Apply(product_shapes);

/// Half of the weights are zero, at random: single ones, or blocks of 16 outputs of one input.
std::vector<float> half_zero(int n, int k, SparseForm form) {
  std::mt19937 generator(2);
  std::bernoulli_distribution half;
  std::vector<float> w = random(size_of(n, k));
  std::vector<bool> zero(static_cast<std::size_t>(k));
  for (std::size_t i = 0; i < w.size(); ++i) {
    const std::size_t input = i % zero.size();
    if (i / zero.size() % kPanel == 0) zero[input] = half(generator);
    if (form == SparseForm::blocks ? zero[input] : half(generator)) w[i] = 0;
  }
  return w;
}

template <class Value>
std::vector<std::byte> packed_sparse(SparseForm form, const std::vector<float>& w, int n, int k,
                                     const std::vector<Value>& dense) {
  const SparseSizes sizes = sparse_sizes(w.data(), k, n, k, sizeof(Value));
  std::vector<std::byte> packed(form == SparseForm::blocks ? sizes.blocks : sizes.values);
  pack_sparse(form, w.data(), k, n, k, dense.data(), packed.data());
  return packed;
}

/// A random matrix of int8 of which half is zero.
template <SparseForm kForm>
struct SparseBytes {
  SparseBytes(int n, int k) : scales(static_cast<std::size_t>(padded(n))) {
    const std::vector<float> w = half_zero(n, k, kForm);
    std::vector<std::int8_t> dense(packed_i8_size(n, k));
    pack_i8(w.data(), k, n, k, dense.data(), scales.data());
    packed = packed_sparse(kForm, w, n, k, dense);
    view = view_sparse(kForm, PackedI8{.scales = scales.data(), .n = n, .k = k}, packed.data());
  }
  [[nodiscard]] double bytes() const { return static_cast<double>(packed.size()); }
  std::vector<float> scales;
  std::vector<std::byte> packed;
  SparseI8 view;
};

/// Operations are those of the dense product, so that rates compare with its own; bytes are real.
template <SparseForm kForm>
void gemm_sparse_f32(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const std::vector<float> a = random(size_of(m, k));
  const std::vector<float> w = half_zero(n, k, kForm);
  std::vector<float> dense(packed_f32_size(n, k));
  pack_f32(w.data(), k, n, k, dense.data());
  const std::vector<std::byte> packed = packed_sparse(kForm, w, n, k, dense);
  const SparseF32 sparse = view_sparse(kForm, PackedF32{.n = n, .k = k}, packed.data());
  std::vector<float> c(size_of(m, n));
  for ([[maybe_unused]] const auto _ : state) {
    kernels::gemm_sparse_f32(a.data(), k, m, sparse, 0, panels(n), c.data(), n, {});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * m * n * k, static_cast<double>(packed.size()));
}

template <SparseForm kForm>
void gemm_sparse_f16(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const std::vector<float> a = random(size_of(m, k));
  const std::vector<float> w = half_zero(n, k, kForm);
  std::vector<std::uint16_t> dense(packed_16_size(n, k));
  pack_f16(w.data(), k, n, k, dense.data());
  const std::vector<std::byte> packed = packed_sparse(kForm, w, n, k, dense);
  const SparseF16 sparse = view_sparse(kForm, PackedF16{.n = n, .k = k}, packed.data());
  std::vector<float> c(size_of(m, n));
  for ([[maybe_unused]] const auto _ : state) {
    kernels::gemm_sparse_f16(a.data(), k, m, sparse, 0, panels(n), c.data(), n, {});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * m * n * k, static_cast<double>(packed.size()));
}

template <SparseForm kForm>
void gemm_sparse_i8(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const PairRows rows(m, k);
  const SparseBytes<kForm> w(n, k);
  std::vector<float> c(size_of(m, n));
  for ([[maybe_unused]] const auto _ : state) {
    kernels::gemm_sparse_i8(rows.a.data(), 2 * pairs(k), rows.scales.data(), m, w.view, 0,
                            panels(n), c.data(), n, {});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * m * n * k, w.bytes(), Arithmetic::pairs);
}

template <SparseForm kForm>
void gemm_sparse_u8_i8(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const ByteRows rows(m, k);
  const SparseBytes<kForm> w(n, k);
  std::vector<float> c(size_of(m, n));
  for ([[maybe_unused]] const auto _ : state) {
    kernels::gemm_sparse_u8_i8(rows.view(), m, w.view, 0, panels(n), c.data(), n, {});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * m * n * k, w.bytes(), Arithmetic::bytes);
}

BENCHMARK(gemm_sparse_f32<SparseForm::blocks>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_f32<SparseForm::values>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_f16<SparseForm::blocks>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_f16<SparseForm::values>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_i8<SparseForm::blocks>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_i8<SparseForm::values>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_u8_i8<SparseForm::blocks>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_u8_i8<SparseForm::values>)->Apply(product_shapes);

void attention(benchmark::State& state) {
  const auto m = static_cast<int>(state.range(0));
  const auto length = static_cast<int>(state.range(1));
  constexpr int kHeadDim = 48;
  const std::vector<float> q = random(size_of(m, kHeadDim));
  const std::vector<float> keys = random(packed_f32_size(length, kHeadDim));
  const std::vector<float> values = random(packed_f32_size(kHeadDim, length));
  std::vector<float> scratch(attention_scratch(m, length));
  std::vector<float> out(size_of(m, kHeadDim));
  for ([[maybe_unused]] const auto _ : state) {
    kernels::attention(q.data(), kHeadDim, m, {keys.data(), length, kHeadDim},
                       {values.data(), kHeadDim, length}, 0.1F, out.data(), kHeadDim,
                       scratch.data());
    benchmark::ClobberMemory();
  }
  report(state, 4.0 * m * length * kHeadDim, 8.0 * length * kHeadDim);
}
BENCHMARK(attention)->ArgNames({"m", "length"})->Args({512, 512})->Args({4, 512});

/// Packing of keys and values included, as it is part of the kernel. The heads take their parts of
/// rows that hold queries, keys and values of all of them, as in the encoder.
void head_attention_i16(benchmark::State& state) {
  const auto length = static_cast<int>(state.range(0));
  const auto head_dim = static_cast<int>(state.range(1));
  constexpr int kHeads = 8;
  const std::ptrdiff_t width = std::ptrdiff_t{kHeads} * head_dim;
  const std::vector<float> qkv = random(size_of(length, static_cast<int>(3 * width)));
  std::vector<float> scratch(head_attention_i16_scratch(length, head_dim));
  std::vector<float> out(size_of(length, static_cast<int>(width)));
  for ([[maybe_unused]] const auto _ : state) {
    for (int head = 0; head < kHeads; ++head) {
      const float* q = qkv.data() + std::ptrdiff_t{head} * head_dim;
      kernels::head_attention_i16(q, q + width, q + 2 * width, 3 * width, length, head_dim, 0.1F,
                                  out.data() + std::ptrdiff_t{head} * head_dim, width,
                                  scratch.data());
    }
    benchmark::ClobberMemory();
  }
  report(state, kHeads * 4.0 * length * length * head_dim, kHeads * 16.0 * length * head_dim,
         Arithmetic::pairs);
}
BENCHMARK(head_attention_i16)
    ->ArgNames({"length", "head_dim"})
    ->Args({24, 32})
    ->Args({64, 32})
    ->Args({130, 32})
    ->Args({64, 48})
    ->Args({512, 48});

/// Of the rows of one document, its beams, as in a decoding step.
void attention_i8(benchmark::State& state) {
  const auto m = static_cast<int>(state.range(0));
  const auto length = static_cast<int>(state.range(1));
  const auto head_dim = static_cast<int>(state.range(2));
  const std::vector<float> q = random(size_of(m, head_dim));
  const std::vector<std::int8_t> keys(packed_i8_size(length, head_dim), 3);
  const std::vector<std::int8_t> values(packed_i8_size(head_dim, length), 3);
  const std::vector<float> scales(size_of(1, padded(std::max(length, head_dim))), 0.01F);
  std::vector<float> scratch(attention_scratch_i8(m, length, head_dim));
  std::vector<float> out(size_of(m, head_dim));
  for ([[maybe_unused]] const auto _ : state) {
    kernels::attention_i8(q.data(), head_dim, m, {keys.data(), scales.data(), length, head_dim},
                          {values.data(), scales.data(), head_dim, length}, 0.1F, out.data(),
                          head_dim, scratch.data());
    benchmark::ClobberMemory();
  }
  report(state, 4.0 * m * length * head_dim, 2.0 * length * head_dim, Arithmetic::pairs);
}
BENCHMARK(attention_i8)
    ->ArgNames({"m", "length", "head_dim"})
    ->Args({1, 64, 32})
    ->Args({4, 64, 32})
    ->Args({4, 512, 48});

void attention_step(benchmark::State& state) {
  const auto length = static_cast<int>(state.range(0));
  constexpr int kHeads = 16;
  constexpr int kHeadDim = 48;
  constexpr int kWidth = kHeads * kHeadDim;
  const std::vector<float> q = random(kWidth);
  const std::vector<float> keys = random(size_of(length, kWidth));
  const std::vector<float> values = random(size_of(length, kWidth));
  std::vector<std::int32_t> rows(static_cast<std::size_t>(length));
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<float> scratch(size_of(kHeads, length));
  std::vector<float> out(kWidth);
  for ([[maybe_unused]] const auto _ : state) {
    kernels::attention_step(q.data(), keys.data(), values.data(), kWidth, rows.data(), length,
                            kHeads, kHeadDim, 0.1F, out.data(), scratch.data());
    benchmark::ClobberMemory();
  }
  report(state, 4.0 * length * kWidth, 8.0 * length * kWidth);
}
BENCHMARK(attention_step)->ArgName("length")->Arg(32)->Arg(128);

/// The same over a cache in int8, which is of zeros: what numbers it holds does not matter.
void attention_step_i8(benchmark::State& state) {
  const auto length = static_cast<int>(state.range(0));
  const auto heads = static_cast<int>(state.range(1));
  const auto head_dim = static_cast<int>(state.range(2));
  const int width = heads * head_dim;
  const std::vector<float> q = random(size_of(1, width));
  const std::vector<std::int8_t> cache(size_of(length, width));
  const std::vector<float> scales(size_of(length, heads), 0.01F);
  std::vector<std::int32_t> rows(static_cast<std::size_t>(length));
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<float> scratch(size_of(heads, length));
  std::vector<float> out(q.size());
  const CacheRowsI8 of{cache.data(), scales.data(), width, heads};
  for ([[maybe_unused]] const auto _ : state) {
    kernels::attention_step_i8(q.data(), of, of, rows.data(), length, heads, head_dim, 0.1F,
                               out.data(), scratch.data());
    benchmark::ClobberMemory();
  }
  report(state, 4.0 * length * width, 2.0 * length * width);
}
BENCHMARK(attention_step_i8)
    ->ArgNames({"length", "heads", "head_dim"})
    ->Args({8, 8, 32})
    ->Args({16, 8, 32})
    ->Args({64, 16, 48});

void narrow_heads_i8(benchmark::State& state) {
  constexpr int kHeads = 8;
  constexpr int kHeadDim = 32;
  const std::vector<float> x = random(kHeads * kHeadDim);
  std::vector<std::int8_t> out(x.size());
  std::vector<float> scales(kHeads);
  for ([[maybe_unused]] const auto _ : state) {
    kernels::narrow_heads_i8(x.data(), kHeads, kHeadDim, out.data(), scales.data());
    benchmark::ClobberMemory();
  }
  report(state, 0, 4.0 * kHeads * kHeadDim);
}
BENCHMARK(narrow_heads_i8);

void layer_norm(benchmark::State& state) {
  constexpr int kRows = 16;
  constexpr int kWidth = 768;
  const std::vector<float> x = random(kRows * kWidth);
  const std::vector<float> weights = random(kWidth);
  std::vector<float> y(kRows * kWidth);
  for ([[maybe_unused]] const auto _ : state) {
    kernels::layer_norm(x.data(), kWidth, kRows, kWidth, weights.data(), weights.data(), 1e-5F,
                        y.data(), kWidth);
    benchmark::ClobberMemory();
  }
  report(state, 0, 8.0 * kRows * kWidth);
}
BENCHMARK(layer_norm);

void quantize_rows(benchmark::State& state) {
  constexpr int kRows = 16;
  constexpr int kWidth = 768;
  const std::vector<float> x = random(kRows * kWidth);
  std::vector<std::int16_t> q(kRows * kWidth);
  std::vector<float> scales(kRows);
  for ([[maybe_unused]] const auto _ : state) {
    kernels::quantize_rows(x.data(), kWidth, kRows, kWidth, q.data(), kWidth, scales.data());
    benchmark::ClobberMemory();
  }
  report(state, 0, 6.0 * kRows * kWidth);
}
BENCHMARK(quantize_rows);

void quantize_rows_u8(benchmark::State& state) {
  constexpr int kRows = 16;
  constexpr int kWidth = 768;
  const std::vector<float> x = random(kRows * kWidth);
  std::vector<std::uint8_t> q(kRows * kWidth);
  std::vector<float> scales(kRows);
  std::vector<std::int32_t> zeros(kRows);
  for ([[maybe_unused]] const auto _ : state) {
    kernels::quantize_rows_u8(x.data(), kWidth, kRows, kWidth, q.data(), kWidth, scales.data(),
                              zeros.data());
    benchmark::ClobberMemory();
  }
  report(state, 0, 5.0 * kRows * kWidth);
}
BENCHMARK(quantize_rows_u8);

void gelu(benchmark::State& state) {
  const std::vector<float> inputs = random(4096);
  std::vector<float> x(inputs.size());
  for ([[maybe_unused]] const auto _ : state) {
    x = inputs;  // in place: without new inputs they would all go to zero
    activate(Activation::gelu, x.data(), x.size());
    benchmark::ClobberMemory();
  }
  report(state, 0, 8.0 * 4096);
}
BENCHMARK(gelu);

constexpr int kVocabulary = 30000;

void top_k(benchmark::State& state) {
  const auto count = static_cast<int>(state.range(0));
  const std::vector<float> x = random(kVocabulary);
  std::vector<float> values(static_cast<std::size_t>(count));
  std::vector<std::int32_t> indices(static_cast<std::size_t>(count));
  for ([[maybe_unused]] const auto _ : state) {
    kernels::top_k(x.data(), kVocabulary, count, values.data(), indices.data());
    benchmark::ClobberMemory();
  }
  report(state, 0, 4.0 * kVocabulary);
}
BENCHMARK(top_k)->ArgName("count")->Arg(1)->Arg(8);

void log_sum_exp(benchmark::State& state) {
  const std::vector<float> x = random(kVocabulary);
  for ([[maybe_unused]] const auto _ : state)
    benchmark::DoNotOptimize(kernels::log_sum_exp(x.data(), kVocabulary));
  report(state, 0, 4.0 * kVocabulary);
}
BENCHMARK(log_sum_exp);

void measure_one_thread() {
  const auto sets = measurable_sets();
  const std::string_view set = instruction_set();
  if (std::ranges::find(sets, set) == sets.end()) return;
  ceilings = measure_ceilings(set, 1);
  benchmark::AddCustomContext(
      "ceilings",
      fmt::format("{:.1f} GFLOP/s fp32, {:.1f} GOP/s pairs, {:.1f} GOP/s bytes, {:.1f} GB/s",
                  ceilings.fp32, ceilings.pairs, ceilings.bytes, ceilings.read));
}

}  // namespace
}  // namespace kobolt::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  kobolt::kernels::measure_one_thread();
  benchmark::AddCustomContext("instruction_set", std::string(kobolt::kernels::instruction_set()));
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
