#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/sparse_bytes_simd.cc"  // NOLINT
#include <algorithm>
#include <array>
#include <cstring>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/bytes-inl.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/sparse-inl.h"
#include "kernels/simd/turned-inl.h"

// Products of matrices with many zeros by vpdpbusd (bytes-inl.h).
//
// - `blocks`, few rows: the activations of a panel's inputs are taken together, and the panel is a
//   shorter dense one.
// - `blocks`, many rows: rows are turned (turned-inl.h).
// - `values`: slices are made dense.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if HWY_TARGET == HWY_AVX3
namespace {

using ByteFinish = Finish<ShiftedProducts<ColumnSums<std::int32_t>>>;

/// Inputs whose activations are taken together at a time: those of a row of KoBART's, and of most
/// models', longest layer. Whole words of a mask.
constexpr int kGatheredInputs = 4096;
/// Distance of two gathered rows: up to 3 are left from the slice before, taking writes up to 63
/// beyond the end, and a power of two would put all rows at the same place of the cache.
constexpr std::ptrdiff_t kGatheredBytes = kGatheredInputs + 64;

/// Whether the processor has vpcompressb. It came after VNNI.
bool takes_bytes() {
  static const bool supported = __builtin_cpu_supports("avx512vbmi2") != 0;
  return supported;
}

/// sparse::compress, with up to 63 values of rubbish; `by_instruction`: takes_bytes().
HWY_INLINE std::uint8_t* take_bytes(const std::uint8_t* HWY_RESTRICT x,
                                    const std::uint8_t* HWY_RESTRICT mask, int k,
                                    bool by_instruction, std::uint8_t* HWY_RESTRICT out) {
  constexpr int kStep = 64;
  int l = 0;
  for (; by_instruction && l + kStep <= k; l += kStep) {
    std::uint64_t bits;
    std::memcpy(&bits, mask + l / 8, sizeof(bits));
    __m512i taken;
    asm("vpcompressb %[x], %[taken]%{%[bits]%}%{z%}"
        : [taken] "=v"(taken)
        : [x] "v"(_mm512_loadu_si512(x + l)), [bits] "Yk"(static_cast<__mmask64>(bits)));
    _mm512_storeu_si512(out, taken);
    out += __builtin_popcountll(bits);
  }
  return sparse::compress(x + l, mask + l / 8, k - l, out);
}

/// Up to kTileRows rows, which start at `row`.
HWY_NOINLINE void gathered_rows(const RowsU8& a, int row, int rows, const SparseI8& w,
                                int panel_begin, int panel_end,
                                ColumnSums<std::int32_t>& column_sums, const ByteFinish& finish) {
  alignas(64) std::uint8_t gathered[gemm::kTileRows * kGatheredBytes];
  alignas(64) std::int32_t sums[gemm::kTileRows * kPanel];
  const ByteTile tile = byte_tile_function(rows);
  const bool by_instruction = takes_bytes();
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    turned::KeptPanel<PackedI8> kept(w, panel);
    std::ptrdiff_t left = 0;  // activations that wait for the others of their quad
    int begin = 0;
    do {
      const int size = std::min(kGatheredInputs, w.kept.k - begin);
      const bool last = begin + size == w.kept.k;
      const std::uint8_t* bits = kept.mask + begin / 8;
      std::ptrdiff_t count = left;
      for (int r = 0; r < rows; ++r) {
        std::uint8_t* out = gathered + r * kGatheredBytes;
        const std::uint8_t* end =
            take_bytes(a.data + (row + r) * a.ld + begin, bits, size, by_instruction, out + left);
        count = end - out;
      }
      const std::ptrdiff_t bytes = last ? kept.count : std::min(kept.count, count / 4 * kQuadSize);
      tile(gathered, kGatheredBytes, kept.values, bytes, begin > 0, sums, column_sums.of(panel));
      kept.values += bytes;
      kept.count -= bytes;
      left = count % 4;
      for (int r = 0; r < rows; ++r) {
        std::uint8_t* out = gathered + r * kGatheredBytes;
        std::memmove(out, out + count - left, static_cast<std::size_t>(left));
      }
      begin += size;
    } while (begin < w.kept.k);
    finish(sums, row, rows, panel);
  }
}

/// For turned::many_rows: units of 4 inputs.
struct TurnedQuads {
  using Value = std::uint8_t;
  using Weight = std::int8_t;
  using Sum = std::int32_t;
  static constexpr int kInputsPerUnit = 4;

  /// Wherever 4 inputs lie, 4 loads and 4 shuffles make a vector of them, for the weights of 16
  /// columns.
  static HWY_NOINLINE void tile(const std::uint8_t* HWY_RESTRICT x,
                                const std::int32_t* HWY_RESTRICT places,
                                const std::int8_t* HWY_RESTRICT weights, std::ptrdiff_t units,
                                bool accumulate, std::int32_t* HWY_RESTRICT sums) {
    // Each of 4 blocks spreads 4 of the same 16 bytes, each to the 4 bytes of a lane; masks then
    // take one byte of a lane from each of 4 inputs.
    alignas(64) static constexpr std::array<std::uint8_t, 64> kSpread = [] {
      std::array<std::uint8_t, 64> indices{};
      for (std::size_t i = 0; i < indices.size(); ++i)
        indices[i] = static_cast<std::uint8_t>(i / 4);
      return indices;
    }();
    constexpr __mmask64 kFirst = 0x1111111111111111U;
    const __m512i spread = _mm512_load_si512(kSpread.data());
    Integers sum[kPanel];
#pragma GCC unroll 16
    for (int j = 0; j < kPanel; ++j) {
      sum[j] = accumulate ? hn::Load(IntTag(), sums + j * turn::kRows) : hn::Zero(IntTag());
    }
    const auto* words = reinterpret_cast<const std::int32_t*>(weights);
    for (std::ptrdiff_t unit = 0; unit < units; ++unit) {
      const auto input = [&](int i) {
        return _mm512_broadcast_i32x4(
            _mm_load_si128(reinterpret_cast<const __m128i*>(x + places[4 * unit + i])));
      };
      __m512i rows = _mm512_maskz_shuffle_epi8(kFirst, input(0), spread);
      rows = _mm512_mask_shuffle_epi8(rows, kFirst << 1, input(1), spread);
      rows = _mm512_mask_shuffle_epi8(rows, kFirst << 2, input(2), spread);
      rows = _mm512_mask_shuffle_epi8(rows, kFirst << 3, input(3), spread);
#pragma GCC unroll 16
      for (int j = 0; j < kPanel; ++j) {
        asm("vpdpbusd %[w]%{1to16%}, %[a], %[sum]"
            : [sum] "+v"(sum[j].raw)
            : [a] "v"(rows), [w] "m"(words[unit * kPanel + j]));
      }
    }
#pragma GCC unroll 16
    for (int j = 0; j < kPanel; ++j) hn::Store(sum[j], IntTag(), sums + j * turn::kRows);
  }
};

/// The form `values`.
HWY_NOINLINE void expanded_panels(const RowsU8& a, int m, const SparseI8& w, int panel_begin,
                                  int panel_end, ColumnSums<std::int32_t>& column_sums,
                                  const ByteFinish& finish) {
  alignas(64) std::int8_t slice[ByteQuads::kDepth * kQuadSize];
  alignas(64) std::int8_t ordered[ByteQuads::kDepth * kQuadSize];
  alignas(64) std::int32_t sums[gemm::kBlockRows * kPanel];
  const std::uint64_t stride = mask_bytes(w.form, 1, w.kept.k);
  const int pair_count = pairs(w.kept.k);
  const gemm::EvenParts blocks(m, gemm::kBlockRows);
  const gemm::EvenParts depths(quads(w.kept.k), ByteQuads::kDepth);
  for (int block = 0; block < blocks.count(); ++block) {
    const gemm::EvenParts tiles(blocks.size(block), gemm::kTileRows);
    for (int panel = panel_begin; panel < panel_end; ++panel) {
      const std::uint8_t* mask = w.masks + static_cast<std::uint64_t>(panel) * stride;
      const std::int8_t* kept = w.kept.data + w.starts[panel];
      for (int depth = 0; depth < depths.count(); ++depth) {
        const std::ptrdiff_t quad = depths.begin(depth);
        const int size = std::min(2 * depths.size(depth), pair_count - 2 * depths.begin(depth));
        kept = sparse::expand(kept, mask + quad * kQuadSize / 8, size, kPairSize, slice);
        order_quads(slice, std::ptrdiff_t{size} * kPairSize, depth > 0, ordered,
                    column_sums.of(panel));
        for (int t = 0; t < tiles.count(); ++t) {
          const int row = blocks.begin(block) + tiles.begin(t);
          gemm::tile_function<ByteQuads>(tiles.size(t))(
              a.data + row * a.ld + quad * 4, a.ld, {ordered}, depths.size(depth),
              {reinterpret_cast<const char*>(kept), t == 0 ? kPairSize : 0}, depth > 0,
              sums + tiles.begin(t) * kPanel, 0);
        }
      }
      finish(sums, blocks.begin(block), blocks.size(block), panel);
    }
  }
}

}  // namespace

void gemm_sparse_u8_i8_vnni(const RowsU8& a, int m, const SparseI8& w, int panel_begin,
                            int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  if (m == 0) return;
  ColumnSums<std::int32_t> column_sums(panel_begin);
  const ByteFinish finish({a, w.kept.scales, column_sums}, w.kept.n, c, ldc, epilogue);
  if (w.form == SparseForm::values) {
    expanded_panels(a, m, w, panel_begin, panel_end, column_sums, finish);
  } else if (m > gemm::kTileRows && w.kept.k <= turned::kInputs) {
    const auto order = [&](const turned::KeptPanel<PackedI8>& kept, int panel, std::int8_t* out) {
      order_quads(kept.values, kept.count, false, out, column_sums.of(panel));
      return static_cast<const std::int8_t*>(out);
    };
    turned::many_rows<TurnedQuads>(a.data, a.ld, m, w, panel_begin, panel_end, order, finish);
  } else {
    const gemm::EvenParts tiles(m, gemm::kTileRows);
    for (int t = 0; t < tiles.count(); ++t) {
      gathered_rows(a, tiles.begin(t), tiles.size(t), w, panel_begin, panel_end, column_sums,
                    finish);
    }
  }
}

#endif  // HWY_AVX3
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
