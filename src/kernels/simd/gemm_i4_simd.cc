#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/gemm_i4_simd.cc"  // NOLINT
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/block4.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/gemm-inl.h"

// Products of weights of 4 bits. The unit along k is a group of 32: its products are summed as
// integers, exactly, and enter the sums of floats times the group's scale.
//
// A weight becomes an int16 by shifting its nibble to the top and clearing what is below: 1.5
// instructions for 16 weights, sign included, where counting from 0 would need a subtraction too.
// All products are then 4096 times too large, which a sum of 32 just survives: 4096 * 8 * 2047 * 32
// is 2^31 minus a million. The factor leaves again with the scale of the row.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

using gemm::IntTag;
using gemm::PairTag;

constexpr int kPairs4 = kGroup4 / 2;
constexpr int kDepth4 = gemm::kDepth / kPairs4;
constexpr float kNibbleUnit = 1.0F / 4096;

/// Pair kPair (0..3) of each word, as int16 times 4096.
template <int kPair>
HWY_INLINE hn::Vec<PairTag> unpack(hn::Vec<PairTag> words) {
  const auto top = hn::Set(PairTag(), static_cast<std::int16_t>(0xF000));
  if constexpr (kPair == 0) {
    return hn::ShiftLeft<12>(words);
  } else if constexpr (kPair == 3) {
    return hn::And(words, top);
  } else {
    return hn::And(hn::ShiftLeft<12 - 4 * kPair>(words), top);
  }
}

HWY_INLINE hn::Vec<PairTag> load_words(const std::uint8_t* block, int word, int vector) {
  const hn::Repartition<std::uint8_t, PairTag> bytes;
  return gemm::pair_order(hn::BitCast(
      PairTag(),
      hn::LoadU(bytes, block + kPanel * 2 + word * kPanel * 4 + vector * gemm::kLanes * 4)));
}

/// The scales of a vector of columns.
HWY_INLINE hn::Vec<FloatTag> load_scales(const std::uint8_t* block, int vector) {
  const hn::Rebind<hwy::bfloat16_t, FloatTag> stored;
  const hn::Repartition<std::uint8_t, decltype(stored)> bytes;
  return hn::PromoteTo(FloatTag(),
                       hn::BitCast(stored, hn::LoadU(bytes, block + vector * gemm::kLanes * 2)));
}

template <int kPanels>
HWY_INLINE void prefetch(gemm::Ahead& ahead) {
  constexpr std::ptrdiff_t kLine = 64;
  for (int p = 0; p < kPanels; ++p) {
    const char* from = ahead.begin + p * ahead.panel_distance;
    for (std::ptrdiff_t at = 0; at < ahead.step; at += kLine) __builtin_prefetch(from + at);
  }
  ahead.begin += ahead.step;
}

/// sums += products * scale for a tile and one group.
template <int kRows, int kWidth, class Scale>
HWY_INLINE void add_group(const hn::Vec<IntTag> (&products)[kRows][kWidth], const Scale& scale,
                          float* HWY_RESTRICT sums, std::ptrdiff_t sums_distance) {
#pragma GCC unroll 16
  for (int v = 0; v < kWidth; ++v) {
    const hn::Vec<FloatTag> factor = scale(v);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      float* sum = sums + v / kVectors * sums_distance + r * kPanel + v % kVectors * kLanes;
      hn::StoreU(
          hn::MulAdd(hn::ConvertTo(FloatTag(), products[r][v]), factor, hn::LoadU(FloatTag(), sum)),
          FloatTag(), sum);
    }
  }
}

/// Unit = a group, weights as they are stored. `Pairs` is a WidePairs.
template <class Pairs>
struct NarrowGroups {
  using Value = std::int16_t;
  using Weight = std::uint8_t;
  using Sum = float;
  static constexpr int kValuesPerUnit = kGroup4;
  static constexpr std::ptrdiff_t kStoredPerUnit = kBlock4;
  static constexpr int kDepth = kDepth4;

  template <int kRows, int kPanels>
  static HWY_INLINE void tile(const std::int16_t* HWY_RESTRICT a, std::ptrdiff_t lda,
                              const gemm::Slices<NarrowGroups>& slices, int units,
                              gemm::Ahead ahead, bool accumulate, float* HWY_RESTRICT sums,
                              std::ptrdiff_t /*sums_distance*/) {
    static_assert(kPanels == 1);
    const std::uint8_t* HWY_RESTRICT w = slices[0];
    if (!accumulate) std::fill_n(sums, kRows * kPanel, 0.0F);
    for (int l = 0; l < units; ++l) {
      prefetch<1>(ahead);
      hn::Vec<IntTag> products[kRows][kVectors];
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) products[r][v] = hn::Zero(IntTag());
      }
      for (int word = 0; word < kGroup4 / 8; ++word) {
        hn::Vec<PairTag> words[kVectors];
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) words[v] = load_words(w, word, v);
        multiply<0, kRows>(a + word * 8, lda, words, products);
        multiply<1, kRows>(a + word * 8, lda, words, products);
        multiply<2, kRows>(a + word * 8, lda, words, products);
        multiply<3, kRows>(a + word * 8, lda, words, products);
      }
      add_group<kRows>(
          products, [w](int v) { return load_scales(w, v); }, sums, 0);
      a += kGroup4;
      w += kBlock4;
    }
  }

 private:
  template <int kPair, int kRows>
  static HWY_INLINE void multiply(const std::int16_t* HWY_RESTRICT a, std::ptrdiff_t lda,
                                  const hn::Vec<PairTag> (&words)[kVectors],
                                  hn::Vec<IntTag> (&products)[kRows][kVectors]) {
    hn::Vec<PairTag> weights[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) weights[v] = unpack<kPair>(words[v]);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const auto value = Pairs::broadcast(a + r * lda + 2 * kPair);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        Pairs::multiply_add(value, weights[v], products[r][v]);
      }
    }
  }
};

/// A group made ready for many tiles: [16] floats of scale, then [16 pairs][16 columns][2] int16.
constexpr std::ptrdiff_t kWideScales = kPanel * sizeof(float) / sizeof(std::int16_t);
constexpr std::ptrdiff_t kWideGroup = kWideScales + kPanel * kGroup4;

/// Unit = a group, weights widened to int16.
template <class Pairs>
struct WideGroups {
  using Value = std::int16_t;
  using Weight = std::int16_t;
  using Sum = float;
  static constexpr int kValuesPerUnit = kGroup4;
  static constexpr std::ptrdiff_t kStoredPerUnit = kBlock4;
  static constexpr int kDepth = kDepth4;

  template <int kRows, int kPanels>
  static HWY_INLINE void tile(const std::int16_t* HWY_RESTRICT a, std::ptrdiff_t lda,
                              const gemm::Slices<WideGroups>& slices, int units, gemm::Ahead ahead,
                              bool accumulate, float* HWY_RESTRICT sums,
                              std::ptrdiff_t sums_distance) {
    constexpr int kWidth = kPanels * kVectors;
    for (int p = 0; !accumulate && p < kPanels; ++p) {
      std::fill_n(sums + p * sums_distance, kRows * kPanel, 0.0F);
    }
    for (std::ptrdiff_t l = 0; l < units; ++l) {
      prefetch<kPanels>(ahead);
      hn::Vec<IntTag> products[kRows][kWidth];
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
        for (int v = 0; v < kWidth; ++v) products[r][v] = hn::Zero(IntTag());
      }
      const auto group = [&](int v) {
        return slices[static_cast<std::size_t>(v / kVectors)] + l * kWideGroup;
      };
      for (std::ptrdiff_t p = 0; p < kPairs4; ++p) {
        hn::Vec<PairTag> weights[kWidth];
#pragma GCC unroll 16
        for (int v = 0; v < kWidth; ++v) {
          weights[v] =
              Pairs::load(group(v) + kWideScales + (p * kPanel + v % kVectors * kLanes) * 2);
        }
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
          const auto value = Pairs::broadcast(a + r * lda + p * 2);
#pragma GCC unroll 16
          for (int v = 0; v < kWidth; ++v) {
            Pairs::multiply_add(value, weights[v], products[r][v]);
          }
        }
      }
      const auto scale = [&](int v) {
        return hn::LoadU(FloatTag(),
                         reinterpret_cast<const float*>(group(v)) + v % kVectors * kLanes);
      };
      add_group<kRows>(products, scale, sums, sums_distance);
      a += kGroup4;
    }
  }
};

HWY_INLINE void widen_group(const std::uint8_t* HWY_RESTRICT block,
                            std::int16_t* HWY_RESTRICT wide) {
  for (int v = 0; v < kVectors; ++v) {
    hn::StoreU(load_scales(block, v), FloatTag(), reinterpret_cast<float*>(wide) + v * kLanes);
  }
  wide += kWideScales;
  for (int word = 0; word < kGroup4 / 8; ++word) {
    for (int v = 0; v < kVectors; ++v) {
      const auto words = load_words(block, word, v);
      std::int16_t* to = wide + word * 4 * kPanel * 2 + v * kLanes * 2;
      hn::StoreU(unpack<0>(words), PairTag(), to);
      hn::StoreU(unpack<1>(words), PairTag(), to + kPanel * 2);
      hn::StoreU(unpack<2>(words), PairTag(), to + 2 * kPanel * 2);
      hn::StoreU(unpack<3>(words), PairTag(), to + 3 * kPanel * 2);
    }
  }
}

/// Sums of floats, still without the scale of their row.
struct RowScaledProducts {
  const float* row_scales;

  HWY_INLINE hn::Vec<FloatTag> operator()(const float* sums, int row, int /*column*/) const {
    const FloatTag tag;
    return hn::Mul(hn::LoadU(tag, sums), hn::Set(tag, row_scales[row] * kNibbleUnit));
  }
};

/// Up to this many rows the weights are unpacked as they are loaded: beside the sums of more rows
/// there are no registers left to do it in.
constexpr int kUnpackedRows = 4;

template <class Products>
HWY_INLINE void multiply_i4(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
                            const PackedI4& w, int panel_begin, int panel_end, float* c,
                            std::ptrdiff_t ldc, const Epilogue& epilogue) {
  if (m == 0) return;
  using Pairs = gemm::WidePairs<Products>;
  const Finish<RowScaledProducts> finish({a_scales}, w.n, c, ldc, epilogue);
  const auto stored =
      gemm::panels_of<NarrowGroups<Pairs>>(w.data, groups(w.k), panel_begin, panel_end);
  if (m <= kUnpackedRows) {
    gemm::few_rows<NarrowGroups<Pairs>>(a, lda, m, stored, finish);
    return;
  }
  alignas(64) std::int16_t wide[gemm::kTilePanels][kDepth4 * kWideGroup];
  const auto widened = [&](int place, int panel, int group, int count) {
    const std::uint8_t* blocks = stored.at(panel, group);
    for (std::ptrdiff_t g = 0; g < count; ++g) {
      widen_group(blocks + g * kBlock4, wide[place] + g * kWideGroup);
    }
    return static_cast<const std::int16_t*>(wide[place]);
  };
  gemm::many_rows<WideGroups<Pairs>>(a, lda, m, stored, widened, finish);
}

}  // namespace

void gemm_i4(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
             const PackedI4& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
             const Epilogue& epilogue) {
  multiply_i4<gemm::PairProducts>(a, lda, a_scales, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

#if HWY_TARGET == HWY_AVX3
void gemm_i4_vnni(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
                  const PackedI4& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                  const Epilogue& epilogue) {
  multiply_i4<gemm::VnniPairProducts>(a, lda, a_scales, m, w, panel_begin, panel_end, c, ldc,
                                      epilogue);
}
#endif

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
