#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "kernels/bytes.h"
#include "kernels/kernels.h"

/// Matrices with many zeros: what they hold, how they are packed, and their products.
///
/// Everything is counted as the dense panels of the same number format count it: a panel is a run
/// of units along k, a unit is kPanel values of one k (floats), or of a pair of k (int8). Two forms
/// leave zeros out of the panels:
///
/// - `blocks`: inputs k that are zero for all kPanel outputs of a panel are missing; what is kept
/// is
///   a shorter dense panel. A bit for each k says which. Products gather the activations of the
///   kept k and use the dense tiles: fewer bytes and less arithmetic.
/// - `values`: single zeros are missing. A bit for each value says which. Products expand a slice
/// of
///   a panel and use the dense tiles: fewer bytes, the same arithmetic.
///
/// Products equal those of the dense matrix to the bit, except that in the form `blocks` a zero
/// weight may not meet an infinity or NaN of its activation.
namespace kobolt::kernels {

enum class SparseForm : std::uint8_t { blocks, values };

/// A matrix of which only a part is stored. `Packed` is the dense one of its number format.
template <class Packed>
struct Sparse {
  /// n, k and scales of the whole matrix; data holds the values that are kept, panel by panel.
  Packed kept;
  const std::uint32_t* starts = nullptr;  ///< [panels(n) + 1] first value of each panel in data
  const std::uint8_t* masks = nullptr;    ///< [panels(n)][mask_bytes], little-endian, see above
  SparseForm form = SparseForm::blocks;
};
using SparseF32 = Sparse<PackedF32>;
using SparseF16 = Sparse<PackedF16>;
using SparseBF16 = Sparse<PackedBF16>;
using SparseI8 = Sparse<PackedI8>;

/// The type of a Packed's values.
template <class Packed>
using StoredOf = std::remove_cv_t<std::remove_pointer_t<decltype(Packed::data)>>;

/// Inputs k of a unit: 1, or 2 for a pair of int8.
constexpr int per_unit(std::size_t value_bytes) { return value_bytes == 1 ? 2 : 1; }

/// Bytes of a panel's mask, for values of `value_bytes` bytes.
constexpr std::uint64_t mask_bytes(SparseForm form, std::size_t value_bytes, std::int64_t k) {
  const int per = per_unit(value_bytes);
  if (form == SparseForm::blocks) return static_cast<std::uint64_t>((k + 63) / 64) * 8;
  return static_cast<std::uint64_t>((k + per - 1) / per) * (kPanel / 8) *
         static_cast<std::uint64_t>(per);
}

/// Where the parts of a stored sparse matrix lie: masks at 0, then starts, then values, each at a
/// multiple of 64 bytes. The form `values` ends with zeros, so that 16 bytes can be loaded at its
/// last value.
struct SparsePlaces {
  std::uint64_t starts = 0;
  std::uint64_t values = 0;
  std::uint64_t tail = 0;  ///< bytes after the values
};
SparsePlaces sparse_places(SparseForm form, std::size_t value_bytes, std::int64_t n,
                           std::int64_t k);

/// Bytes that W [n, k] would take in a form; nothing where a matrix is too large for it. A weight
/// is kept unless it is 0 or -0.
struct SparseSizes {
  std::uint64_t blocks = 0;
  std::uint64_t values = 0;
  std::uint64_t zeros = 0;  ///< weights that are 0
  bool possible = true;     ///< starts fit 32 bits
};
SparseSizes sparse_sizes(const float* w, std::ptrdiff_t ld, int n, int k, std::size_t value_bytes);

/// Packs W [n, k], whose zeros say what is left out, from its dense panels `dense` (of pack_f32 and
/// the like). `out` has as many bytes as sparse_sizes says.
void pack_sparse(SparseForm form, const float* w, std::ptrdiff_t ld, int n, int k,
                 const float* dense, std::byte* out);
void pack_sparse(SparseForm form, const float* w, std::ptrdiff_t ld, int n, int k,
                 const std::uint16_t* dense, std::byte* out);
void pack_sparse(SparseForm form, const float* w, std::ptrdiff_t ld, int n, int k,
                 const std::int8_t* dense, std::byte* out);

/// What is wrong with a stored matrix of n >= 0 and k >= 0, empty if nothing: products of one that
/// passes read nothing outside of it.
std::string_view check_sparse(SparseForm form, std::size_t value_bytes, std::int64_t n,
                              std::int64_t k, std::span<const std::byte> stored);
/// Values that a stored matrix keeps, padding included. It must have passed check_sparse.
std::uint64_t kept_values(SparseForm form, std::size_t value_bytes, std::int64_t n, std::int64_t k,
                          std::span<const std::byte> stored);

/// Points `dense`, which has n, k and scales, at a stored matrix that has passed check_sparse.
template <class Packed>
Sparse<Packed> view_sparse(SparseForm form, Packed dense, const std::byte* stored) {
  const SparsePlaces places = sparse_places(form, sizeof(StoredOf<Packed>), dense.n, dense.k);
  dense.data = reinterpret_cast<const StoredOf<Packed>*>(stored + places.values);
  return {.kept = dense,
          .starts = reinterpret_cast<const std::uint32_t*>(stored + places.starts),
          .masks = reinterpret_cast<const std::uint8_t*>(stored),
          .form = form};
}

/// Calls visit(k, column, value) for each stored value of a panel, in ascending order of k.
template <class Packed, class Visit>
void visit_kept(const Sparse<Packed>& w, int panel, const Visit& visit) {
  constexpr std::size_t kBytes = sizeof(StoredOf<Packed>);
  constexpr int kPer = per_unit(kBytes);
  const int k = w.kept.k;
  const std::uint8_t* mask =
      w.masks + static_cast<std::uint64_t>(panel) * mask_bytes(w.form, kBytes, k);
  const auto* value = w.kept.data + w.starts[panel];
  const auto bit = [mask](std::int64_t index) {
    return ((mask[index / 8] >> (index % 8)) & 1) != 0;
  };
  std::int64_t kept = 0;
  for (int l = 0; l < k; ++l) {
    if (w.form == SparseForm::blocks) {
      if (!bit(l)) continue;
      for (int j = 0; j < kPanel; ++j) {
        visit(l, j, value[(kept / kPer * kPanel + j) * kPer + kept % kPer]);
      }
      ++kept;
      continue;
    }
    // Of a pair, both are visited when its first one comes.
    if (l % kPer != 0) continue;
    const std::int64_t first = static_cast<std::int64_t>(l) * kPanel;
    for (int i = 0; i < kPanel * kPer; ++i) {
      if (bit(first + i)) visit(l + i % kPer, i / kPer, value[kept++]);
    }
  }
}

/// The products of kernels.h for sparse matrices.
void gemm_sparse_f32(const float* a, std::ptrdiff_t lda, int m, const SparseF32& w, int panel_begin,
                     int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);
void gemm_sparse_f16(const float* a, std::ptrdiff_t lda, int m, const SparseF16& w, int panel_begin,
                     int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);
void gemm_sparse_bf16(const float* a, std::ptrdiff_t lda, int m, const SparseBF16& w,
                      int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                      const Epilogue& epilogue);
void gemm_sparse_i8(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
                    const SparseI8& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                    const Epilogue& epilogue);
/// For rows of round_rows_bf16, where prefers_bf16_rows() says so.
void gemm_sparse_bf16_bf16(const std::uint16_t* a, std::ptrdiff_t lda, int m, const SparseBF16& w,
                           int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                           const Epilogue& epilogue);
/// For rows of quantize_rows_u8, where prefers_byte_rows() says so.
void gemm_sparse_u8_i8(const RowsU8& a, int m, const SparseI8& w, int panel_begin, int panel_end,
                       float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);

}  // namespace kobolt::kernels
