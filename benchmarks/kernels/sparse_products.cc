// Products with matrices of which half the weights are left out, in both forms.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/sparse.h"
#include "product.h"
#include "timing.h"

namespace kobolt::kernels {
namespace {

/// Half of the weights are zero, at random: single ones, or blocks of 16 outputs of one input.
AlignedVector<float> half_zero(int n, int k, SparseForm form) {
  std::mt19937 generator(2);
  std::bernoulli_distribution half;
  AlignedVector<float> w = random(size_of(n, k));
  std::vector<bool> zero(static_cast<std::size_t>(k));
  for (std::size_t i = 0; i < w.size(); ++i) {
    const std::size_t input = i % zero.size();
    if (i / zero.size() % kPanel == 0) zero[input] = half(generator);
    if (form == SparseForm::blocks ? zero[input] : half(generator)) w[i] = 0;
  }
  return w;
}

template <class Value>
AlignedVector<std::byte> packed_sparse(SparseForm form, const AlignedVector<float>& w, int n, int k,
                                       const AlignedVector<Value>& dense) {
  const SparseSizes sizes = sparse_sizes(w.data(), k, n, k, sizeof(Value));
  AlignedVector<std::byte> packed(form == SparseForm::blocks ? sizes.blocks : sizes.values);
  pack_sparse(form, w.data(), k, n, k, dense.data(), packed.data());
  return packed;
}

template <SparseForm kForm>
void gemm_sparse_f32(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const AlignedVector<float> w = half_zero(n, k, kForm);
  AlignedVector<float> dense(packed_f32_size(n, k));
  pack_f32(w.data(), k, n, k, dense.data());
  const AlignedVector<std::byte> packed = packed_sparse(kForm, w, n, k, dense);
  time_product(state, kernels::gemm_sparse_f32,
               view_sparse(kForm, PackedF32{.n = n, .k = k}, packed.data()),
               static_cast<double>(packed.size()));
}
BENCHMARK(gemm_sparse_f32<SparseForm::blocks>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_f32<SparseForm::values>)->Apply(product_shapes);

/// A random matrix of 16 bits, packed by `pack`, of which half is zero.
template <class Pack>
AlignedVector<std::byte> sparse_halves(SparseForm form, int n, int k, Pack* pack) {
  const AlignedVector<float> w = half_zero(n, k, form);
  AlignedVector<std::uint16_t> dense(packed_16_size(n, k));
  pack(w.data(), k, n, k, dense.data());
  return packed_sparse(form, w, n, k, dense);
}

template <SparseForm kForm>
void gemm_sparse_f16(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const AlignedVector<std::byte> packed = sparse_halves(kForm, n, k, pack_f16);
  time_product(state, kernels::gemm_sparse_f16,
               view_sparse(kForm, PackedF16{.n = n, .k = k}, packed.data()),
               static_cast<double>(packed.size()));
}
BENCHMARK(gemm_sparse_f16<SparseForm::blocks>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_f16<SparseForm::values>)->Apply(product_shapes);

template <SparseForm kForm>
void gemm_sparse_bf16_bf16(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const AlignedVector<std::byte> packed = sparse_halves(kForm, n, k, pack_bf16);
  time_product_of_bf16(state, kernels::gemm_sparse_bf16_bf16,
                       view_sparse(kForm, PackedBF16{.n = n, .k = k}, packed.data()),
                       static_cast<double>(packed.size()));
}
BENCHMARK(gemm_sparse_bf16_bf16<SparseForm::blocks>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_bf16_bf16<SparseForm::values>)->Apply(product_shapes);

/// A random matrix of int8 of which half is zero.
template <SparseForm kForm>
struct SparseBytes {
  SparseBytes(int n, int k) : scales(static_cast<std::size_t>(padded(n))) {
    const AlignedVector<float> w = half_zero(n, k, kForm);
    AlignedVector<std::int8_t> dense(packed_i8_size(n, k));
    pack_i8(w.data(), k, n, k, dense.data(), scales.data());
    packed = packed_sparse(kForm, w, n, k, dense);
    view = view_sparse(kForm, PackedI8{.scales = scales.data(), .n = n, .k = k}, packed.data());
  }
  [[nodiscard]] double bytes() const { return static_cast<double>(packed.size()); }
  AlignedVector<float> scales;
  AlignedVector<std::byte> packed;
  SparseI8 view;
};

template <SparseForm kForm>
void gemm_sparse_i8(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const SparseBytes<kForm> w(n, k);
  time_product_of_pairs(state, kernels::gemm_sparse_i8, w.view, w.bytes());
}
BENCHMARK(gemm_sparse_i8<SparseForm::blocks>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_i8<SparseForm::values>)->Apply(product_shapes);

template <SparseForm kForm>
void gemm_sparse_u8_i8(benchmark::State& state) {
  const auto [m, k, n] = product_size(state);
  const SparseBytes<kForm> w(n, k);
  time_product_of_bytes(state, kernels::gemm_sparse_u8_i8, w.view, w.bytes());
}
BENCHMARK(gemm_sparse_u8_i8<SparseForm::blocks>)->Apply(product_shapes);
BENCHMARK(gemm_sparse_u8_i8<SparseForm::values>)->Apply(product_shapes);

}  // namespace
}  // namespace kobolt::kernels
