#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/bytes.h"
#include "kernels/kernels.h"
#include "kobolt/profile.h"
#include "timing.h"

// Products of m rows with a matrix of n columns and k inputs, dense or sparse: their shapes, their
// rows, and their timing. Operations are those of the dense product, so that rates of sparse ones
// compare with it; bytes are real.
namespace kobolt::kernels {

struct ProductSize {
  int m;
  int k;
  int n;
};

/// The arguments of a benchmark of a product.
inline ProductSize product_size(const benchmark::State& state) {
  const auto argument = [&](std::size_t i) { return static_cast<int>(state.range(i)); };
  return {argument(0), argument(1), argument(2)};
}

inline void product_shapes(benchmark::internal::Benchmark* benchmark) {
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

/// Random rows of bytes, as products take them.
struct RandomByteRows {
  RandomByteRows(int m, int k)
      : ld(static_cast<std::ptrdiff_t>(groups(k)) * kGroup4),
        a(size_of(m, ld)),
        scales(static_cast<std::size_t>(m)),
        zeros(scales.size()) {
    const AlignedVector<float> x = random(size_of(m, k));
    quantize_rows_u8(x.data(), k, m, k, a.data(), ld, scales.data(), zeros.data());
  }
  [[nodiscard]] RowsU8 view() const { return {a.data(), ld, scales.data(), zeros.data()}; }
  std::ptrdiff_t ld;
  AlignedVector<std::uint8_t> a;
  AlignedVector<float> scales;
  AlignedVector<std::int32_t> zeros;
};

/// Times a product of floats with `w`, of which a call reads `bytes`.
template <class Gemm, class Matrix>
void time_product(benchmark::State& state, Gemm* gemm, const Matrix& w, double bytes) {
  const auto [m, k, n] = product_size(state);
  const AlignedVector<float> a = random(size_of(m, k));
  AlignedVector<float> c(size_of(m, n));
  repeat(state,
         [&, m = m, k = k, n = n] { gemm(a.data(), k, m, w, 0, panels(n), c.data(), n, {}); });
  report(state, 2.0 * m * n * k, bytes);
}

/// The same of rows in bfloat16.
template <class Gemm, class Matrix>
void time_product_of_bf16(benchmark::State& state, Gemm* gemm, const Matrix& w, double bytes) {
  if (!prefers_bf16_rows()) {
    state.SkipWithError("not for this instruction set");
    return;
  }
  const auto [m, k, n] = product_size(state);
  const int ld = 2 * pairs(k);
  AlignedVector<std::uint16_t> a(size_of(m, ld));
  round_rows_bf16(random(size_of(m, k)).data(), k, m, k, a.data(), ld);
  AlignedVector<float> c(size_of(m, n));
  repeat(state, [&, m = m, n = n] { gemm(a.data(), ld, m, w, 0, panels(n), c.data(), n, {}); });
  report(state, 2.0 * m * n * k, bytes, Arithmetic::bf16);
}

/// The same of rows in int16.
template <class Gemm, class Matrix>
void time_product_of_pairs(benchmark::State& state, Gemm* gemm, const Matrix& w, double bytes) {
  const auto [m, k, n] = product_size(state);
  const int ld = 2 * pairs(k);
  const AlignedVector<float> x = random(size_of(m, k));
  AlignedVector<std::int16_t> a(size_of(m, ld));
  AlignedVector<float> scales(static_cast<std::size_t>(m));
  quantize_rows(x.data(), k, m, k, a.data(), ld, scales.data());
  AlignedVector<float> c(size_of(m, n));
  repeat(state, [&, m = m, n = n] {
    gemm(a.data(), ld, scales.data(), m, w, 0, panels(n), c.data(), n, {});
  });
  report(state, 2.0 * m * n * k, bytes, Arithmetic::pairs);
}

/// The same of rows of bytes.
template <class Gemm, class Matrix>
void time_product_of_bytes(benchmark::State& state, Gemm* gemm, const Matrix& w, double bytes) {
  const auto [m, k, n] = product_size(state);
  const RandomByteRows rows(m, k);
  AlignedVector<float> c(size_of(m, n));
  repeat(state, [&, m = m, n = n] { gemm(rows.view(), m, w, 0, panels(n), c.data(), n, {}); });
  report(state, 2.0 * m * n * k, bytes, Arithmetic::bytes);
}

}  // namespace kobolt::kernels
