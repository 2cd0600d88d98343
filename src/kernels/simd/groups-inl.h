// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_GROUPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_GROUPS_INL_H_
#undef KOBOLT_KERNELS_GROUPS_INL_H_
#else
#define KOBOLT_KERNELS_GROUPS_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "hwy/highway.h"
#include "kernels/block4.h"
#include "kernels/processor.h"
#include "kernels/simd/bytes-inl.h"
#include "kernels/simd/gemm-inl.h"

// Tiles of products of weights of 4 bits with rows of bytes. The unit along k is a group of 32: its
// products are summed as integers, exactly, and enter sums of floats times the group's scale.
// Both sums want registers, so tiles are smaller than those of int8.
//
// A weight becomes a byte, -8..7. Its products with bytes are so small that 16 bits hold the sum of
// a whole group, a quarter of it in each lane: what saturates with int8 weights cannot here.
//
// sum((a - zero) * w) = sum(a * w) - zero * sum(w), also over groups with their scales; the second
// sum is the same for all rows.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace groups4 {

using gemm::FloatTag;
using gemm::kLanes;
using gemm::kVectors;
using Floats = hn::Vec<FloatTag>;
using SmallTag = hn::Repartition<std::int8_t, IntTag>;

constexpr int kQuads = kGroup4 / 4;
constexpr int kWords = kGroup4 / 8;

#if HWY_TARGET == HWY_NEON

/// Products of 4 bytes of each column with a repeated quad of activations, over one group. There is
/// no product of unsigned with signed bytes, so activations lose 128 on their way.
struct ByteDot {
  struct Sum {
    int16x8_t first;  // of two columns, 4 products each
    int16x8_t last;
  };
  static constexpr std::int32_t kLess = 128;

  static HWY_INLINE Sum zero() { return {vdupq_n_s16(0), vdupq_n_s16(0)}; }
  static HWY_INLINE Integers broadcast(const std::uint8_t* a) {
    std::uint32_t quad;
    std::memcpy(&quad, a, sizeof(quad));
    return hn::Set(IntTag(), static_cast<std::int32_t>(quad ^ 0x80808080U));
  }
  static HWY_INLINE void add(Integers a, Integers w, Sum& sum) {
    const int8x16_t values = vreinterpretq_s8_s32(a.raw);
    const int8x16_t weights = vreinterpretq_s8_s32(w.raw);
    sum.first = vmlal_s8(sum.first, vget_low_s8(values), vget_low_s8(weights));
    sum.last = vmlal_high_s8(sum.last, values, weights);
  }
  static HWY_INLINE Integers total(const Sum& sum) {
    return Integers{vpaddq_s32(vpaddlq_s16(sum.first), vpaddlq_s16(sum.last))};
  }
};

#else

/// Products of 4 bytes of each column with a repeated quad of activations, over one group: 8 times
/// 2 * 255 * 8 at most in a lane of 16 bits.
struct ByteDot {
  using Sum = hn::Vec<PairTag>;
  static constexpr std::int32_t kLess = 0;

  static HWY_INLINE Sum zero() { return hn::Zero(PairTag()); }
  static HWY_INLINE Integers broadcast(const std::uint8_t* a) {
    std::int32_t quad;
    std::memcpy(&quad, a, sizeof(quad));
    return hn::Set(IntTag(), quad);
  }
  static HWY_INLINE void add(Integers a, Integers w, Sum& sum) {
    // One block of assembly for the same reason as in PairProducts.
    Sum product;
    asm("vpmaddubsw %[w], %[a], %[product]\n\t"
        "vpaddw %[product], %[sum], %[sum]"
        : [sum] "+v"(sum.raw), [product] "=&v"(product.raw)
        : [a] "v"(a.raw), [w] "v"(w.raw));
  }
  static HWY_INLINE Integers total(Sum sum) {
    Integers result;
    asm("vpmaddwd %[ones], %[sum], %[result]"
        : [result] "=v"(result.raw)
        : [sum] "v"(sum.raw), [ones] "v"(hn::Set(PairTag(), 1).raw));
    return result;
  }
};

#if HWY_TARGET == HWY_AVX3
/// The same with AVX512_VNNI.
struct VnniDot {
  using Sum = Integers;
  static constexpr std::int32_t kLess = 0;

  static HWY_INLINE Sum zero() { return hn::Zero(IntTag()); }
  static HWY_INLINE Integers broadcast(const std::uint8_t* a) { return ByteDot::broadcast(a); }
  static HWY_INLINE void add(Integers a, Integers w, Sum& sum) { multiply_bytes(a, w, sum); }
  static HWY_INLINE Integers total(Sum sum) { return sum; }
};
#endif

#endif

/// Rows of the largest tile whose weights are unpacked as they are loaded.
constexpr int kStreamedRows = HWY_TARGET == HWY_AVX3 ? 8 : HWY_TARGET == HWY_NEON ? 2 : 4;
/// Up to this many rows there are only such tiles. With AVX-512 unpacking the weights once more
/// costs less than storing them, where it takes ports that products leave idle.
inline int most_streamed() {
  constexpr int kUnpackedBesideProducts = 64;
  const bool beside = HWY_TARGET == HWY_AVX3 && !permutes_instead_of_multiplying();
  return beside ? kUnpackedBesideProducts : kStreamedRows;
}
/// Rows of the largest tile of many rows. AVX-512, with two panels: 12 sums of integers and 12 of
/// floats, of 32 registers. AVX2: 12 of integers; those of floats are in memory.
constexpr int kWideRows = HWY_TARGET == HWY_NEON ? 2 : 6;

/// The two quads of each column that a word holds (block4.h).
struct Quads {
  Integers first;
  Integers second;
};

/// The values of nibbles: of the low ones of the first two bytes of each column, and of the high
/// ones of the other two.
HWY_INLINE Integers quad_of(hn::Vec<SmallTag> bytes) {
  const hn::Repartition<std::uint16_t, IntTag> halves;
  alignas(16) static constexpr std::int8_t kValues[16] = {0,  1,  2,  3,  4,  5,  6,  7,
                                                          -8, -7, -6, -5, -4, -3, -2, -1};
  const auto low = hn::BitCast(halves, bytes);
#if HWY_TARGET == HWY_AVX3
  const auto moved = hn::Shr(low, hn::BitCast(halves, hn::Set(IntTag(), 0x00040000)));
#else
  const auto moved = hn::OddEven(hn::ShiftRight<4>(low), low);
#endif
  const auto nibbles = hn::And(moved, hn::Set(halves, std::uint16_t{0x0F0F}));
  return hn::BitCast(IntTag(), hn::TableLookupBytes(hn::LoadDup128(SmallTag(), kValues),
                                                    hn::BitCast(SmallTag(), nibbles)));
}

/// Word `word` of a vector of columns.
HWY_INLINE Quads load_quads(const std::uint8_t* block, int word, int vector) {
  alignas(16) static constexpr std::int8_t kFirst[16] = {0, 2,  0, 2,  4,  6,  4,  6,
                                                         8, 10, 8, 10, 12, 14, 12, 14};
  alignas(16) static constexpr std::int8_t kSecond[16] = {1, 3,  1, 3,  5,  7,  5,  7,
                                                          9, 11, 9, 11, 13, 15, 13, 15};
  const std::uint8_t* from = block + kPanel * 2 + (word * kPanel + vector * kLanes) * 4;
  const auto bytes = hn::LoadU(SmallTag(), reinterpret_cast<const std::int8_t*>(from));
  return {quad_of(hn::TableLookupBytes(bytes, hn::LoadDup128(SmallTag(), kFirst))),
          quad_of(hn::TableLookupBytes(bytes, hn::LoadDup128(SmallTag(), kSecond)))};
}

/// The scales of a vector of columns.
HWY_INLINE Floats load_scales(const std::uint8_t* block, int vector) {
  const hn::Rebind<hwy::bfloat16_t, FloatTag> stored;
  const hn::Repartition<std::uint8_t, decltype(stored)> bytes;
  return hn::PromoteTo(FloatTag(),
                       hn::BitCast(stored, hn::LoadU(bytes, block + vector * kLanes * 2)));
}

HWY_INLINE void add_weights(const Quads& quads, hn::Vec<SmallTag>& sum) {
  sum = hn::Add(
      sum, hn::Add(hn::BitCast(SmallTag(), quads.first), hn::BitCast(SmallTag(), quads.second)));
}

/// sum += the weights of a group times its scale, given their sums in 4 bytes of each column.
template <class Dot>
HWY_INLINE void add_column_sums(hn::Vec<SmallTag> weights, Floats scales, Floats& sum) {
  typename Dot::Sum total = Dot::zero();
  Dot::add(hn::Set(IntTag(), 0x01010101), hn::BitCast(IntTag(), weights), total);
  sum = hn::MulAdd(hn::ConvertTo(FloatTag(), Dot::total(total)), scales, sum);
}

HWY_INLINE void prefetch(const char* from, std::ptrdiff_t bytes) {
  constexpr std::ptrdiff_t kLine = 64;
  for (std::ptrdiff_t at = 0; at < bytes; at += kLine) {
    gemm::ToL2()(from + at);
  }
}

/// sums [kRows][kPanel] = a times the groups of a panel as they are stored, and the sums of its
/// columns, [kPanel].
template <class Dot, int kRows>
HWY_NOINLINE void streamed_tile(const std::uint8_t* HWY_RESTRICT a, std::ptrdiff_t lda,
                                const std::uint8_t* HWY_RESTRICT block, int groups,
                                float* HWY_RESTRICT sums, float* HWY_RESTRICT column_sums) {
  Floats sum[kRows][kVectors];
  Floats column[kVectors];
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) {
    column[v] = hn::Zero(FloatTag());
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) sum[r][v] = hn::Zero(FloatTag());
  }
  for (int g = 0; g < groups; ++g) {
    prefetch(reinterpret_cast<const char*>(block) + gemm::kStreamAhead, kBlock4);
    typename Dot::Sum products[kRows][kVectors];
    hn::Vec<SmallTag> weights[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      weights[v] = hn::Zero(SmallTag());
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) products[r][v] = Dot::zero();
    }
#pragma GCC unroll 4
    for (int word = 0; word < kWords; ++word) {
      Integers first[kVectors];
      Integers second[kVectors];
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        const Quads quads = load_quads(block, word, v);
        add_weights(quads, weights[v]);
        first[v] = quads.first;
        second[v] = quads.second;
      }
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const std::uint8_t* values = a + r * lda + word * 8;
        const Integers low = Dot::broadcast(values);
        const Integers high = Dot::broadcast(values + 4);
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
          Dot::add(low, first[v], products[r][v]);
          Dot::add(high, second[v], products[r][v]);
        }
      }
    }
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      const Floats scales = load_scales(block, v);
      add_column_sums<Dot>(weights[v], scales, column[v]);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        sum[r][v] =
            hn::MulAdd(hn::ConvertTo(FloatTag(), Dot::total(products[r][v])), scales, sum[r][v]);
      }
    }
    a += kGroup4;
    block += kBlock4;
  }
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) {
    hn::StoreU(column[v], FloatTag(), column_sums + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      hn::StoreU(sum[r][v], FloatTag(), sums + r * kPanel + v * kLanes);
    }
  }
}

using StreamedTile = void (*)(const std::uint8_t*, std::ptrdiff_t, const std::uint8_t*, int, float*,
                              float*);

/// The tile of `rows` rows, 1..kStreamedRows.
template <class Dot>
StreamedTile streamed_tile_function(int rows) {
  static constexpr auto kFunctions = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<StreamedTile, kStreamedRows>{streamed_tile<Dot, kIndex + 1>...};
  }
  (std::make_index_sequence<kStreamedRows>());
  return kFunctions[static_cast<std::size_t>(rows - 1)];
}

/// A group made ready for many tiles: [16] floats of scale, then [8 quads][16 columns][4] bytes.
constexpr std::ptrdiff_t kWideScales = kPanel * sizeof(float);
constexpr std::ptrdiff_t kWideGroup = kWideScales + kPanel * kGroup4;

/// For gemm::many_rows: unit = a group, made ready by widen().
template <class Dot>
struct WideGroups {
  using Value = std::uint8_t;
  using Weight = std::uint8_t;
  using Sum = float;
  static constexpr int kValuesPerUnit = kGroup4;
  static constexpr std::ptrdiff_t kStoredPerUnit = kBlock4;
  static constexpr int kDepth = 24;
  static constexpr int kTileRows = kWideRows;
  static constexpr int kMostPanels = gemm::kTilePanels;

  template <int kRows, int kPanels>
  static HWY_INLINE void tile(const std::uint8_t* HWY_RESTRICT a, std::ptrdiff_t lda,
                              const gemm::Slices<WideGroups>& slices, int units,
                              const gemm::Ahead& ahead, bool accumulate, float* HWY_RESTRICT sums,
                              std::ptrdiff_t sums_distance) {
    constexpr int kWidth = kPanels * kVectors;
    const FloatTag tag;
    float* out[kPanels];
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; ++p) {
      out[p] = sums + p * sums_distance;
      if constexpr (kPanels > 1) gemm::in_register(out[p]);
    }
    const auto place = [&](int r, int v) {
      return out[v / kVectors] + r * kPanel + v % kVectors * kLanes;
    };
    Floats sum[kRows][kWidth];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < kWidth; ++v) {
        sum[r][v] = accumulate ? hn::LoadU(tag, place(r, v)) : hn::Zero(tag);
      }
    }
    const char* next = ahead.begin;
    for (std::ptrdiff_t l = 0; l < units; ++l) {
      for (int p = 0; p < kPanels; ++p) {
        prefetch(next + p * ahead.panel_distance, ahead.step);
      }
      next += ahead.step;
      const auto group = [&](int v) {
        return slices[static_cast<std::size_t>(v / kVectors)] + l * kWideGroup;
      };
      typename Dot::Sum products[kRows][kWidth];
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
        for (int v = 0; v < kWidth; ++v) products[r][v] = Dot::zero();
      }
#pragma GCC unroll 2
      for (std::ptrdiff_t quad = 0; quad < kQuads; ++quad) {
        Integers weights[kWidth];
#pragma GCC unroll 16
        for (int v = 0; v < kWidth; ++v) {
          const std::uint8_t* from =
              group(v) + kWideScales + (quad * kPanel + v % kVectors * kLanes) * 4;
          weights[v] = hn::Load(IntTag(), reinterpret_cast<const std::int32_t*>(from));
        }
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
          const Integers value = Dot::broadcast(a + r * lda + quad * 4);
#pragma GCC unroll 16
          for (int v = 0; v < kWidth; ++v) Dot::add(value, weights[v], products[r][v]);
        }
      }
#pragma GCC unroll 16
      for (int v = 0; v < kWidth; ++v) {
        const Floats scales =
            hn::Load(tag, reinterpret_cast<const float*>(group(v)) + v % kVectors * kLanes);
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
          sum[r][v] = hn::MulAdd(hn::ConvertTo(tag, Dot::total(products[r][v])), scales, sum[r][v]);
        }
      }
      a += kGroup4;
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < kWidth; ++v) hn::StoreU(sum[r][v], tag, place(r, v));
    }
  }
};

/// Makes groups ready for the tiles of WideGroups and computes, or adds to, the sums of their
/// columns.
template <class Dot>
HWY_INLINE void widen(const std::uint8_t* HWY_RESTRICT block, int groups, bool accumulate,
                      std::uint8_t* HWY_RESTRICT wide, float* HWY_RESTRICT column_sums) {
  for (int v = 0; v < kVectors; ++v) {
    const FloatTag tag;
    Floats sum = accumulate ? hn::Load(tag, column_sums + v * kLanes) : hn::Zero(tag);
    for (std::ptrdiff_t g = 0; g < groups; ++g) {
      std::uint8_t* to = wide + g * kWideGroup;
      const Floats scales = load_scales(block + g * kBlock4, v);
      hn::Store(scales, tag, reinterpret_cast<float*>(to) + v * kLanes);
      auto* quad = reinterpret_cast<std::int32_t*>(to + kWideScales) + v * kLanes;
      hn::Vec<SmallTag> weights = hn::Zero(SmallTag());
      for (int word = 0; word < kWords; ++word) {
        const Quads quads = load_quads(block + g * kBlock4, word, v);
        add_weights(quads, weights);
        hn::Store(quads.first, IntTag(), quad + 2 * word * kPanel);
        hn::Store(quads.second, IntTag(), quad + (2 * word + 1) * kPanel);
      }
      add_column_sums<Dot>(weights, scales, sum);
    }
    hn::Store(sum, tag, column_sums + v * kLanes);
  }
}

/// Back to what was multiplied: zeros and scales of the rows.
template <class Dot>
struct Products {
  static constexpr Closeness kCloseness = Closeness::coarse;

  const RowsU8& a;
  const ColumnSums<float>& column_sums;

  [[nodiscard]] HWY_INLINE auto of_columns(int column) const {
    const FloatTag tag;
    return [row_scale = a.scales, row_zero = a.zeros,
            weights = hn::Load(tag, column_sums.of(column / kPanel) + column % kPanel),
            tag](const float* sums, int row, hn::Vec<FloatTag> bias) {
      const auto zero = hn::Set(tag, static_cast<float>(row_zero[row] - Dot::kLess));
      return hn::MulAdd(hn::NegMulAdd(zero, weights, hn::LoadU(tag, sums)),
                        hn::Set(tag, row_scale[row]), bias);
    };
  }
};

}  // namespace groups4
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
