#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/head_attention_simd.cc"  // NOLINT
#include <algorithm>
#include <cmath>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/head_scratch.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/formats-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

using gemm::IntTag;

/// Unit = a pair of int16 as it is stored, [kPanel columns][2].
template <class Products>
struct StoredPairs : gemm::WidePairs<Products> {
  static constexpr int kDepth = gemm::FloatUnits::kDepth;
  static HWY_INLINE hn::Vec<gemm::PairTag> load(const std::int16_t* w) {
    return gemm::pair_order(hn::LoadU(gemm::PairTag(), w));
  }
};

/// A matrix W [n, k] in panels of pairs, and a scale for each of its rows.
struct PackedPairs {
  const std::int16_t* data;
  const float* scales;
  int n;
  int k;
};

/// c [m, n] = a [m, k] times W^T.
template <class Products>
void multiply_pairs(const std::int16_t* a, const float* a_scales, int m, const PackedPairs& w,
                    float* c, std::ptrdiff_t ldc) {
  using Units = StoredPairs<Products>;
  const std::ptrdiff_t lda = 2 * static_cast<std::ptrdiff_t>(pairs(w.k));
  const Epilogue nothing;
  const Finish<gemm::ScaledProducts> finish({a_scales, w.scales}, w.n, c, ldc, nothing);
  const auto stored = gemm::panels_of<Units>(w.data, pairs(w.k), 0, panels(w.n));
  if (m <= gemm::kTileRows) {
    gemm::few_rows<Units>(a, lda, m, stored, finish);
  } else {
    gemm::many_rows<Units>(a, lda, m, stored, gemm::AsStored<std::int16_t>{stored}, finish);
  }
}

/// Rounds keys row by row and brings pairs of features into panels. A pair has the size of a float,
/// so this is how floats are packed.
PackedPairs pack_keys(const float* k, std::ptrdiff_t ld, int length, int head_dim,
                      const HeadScratch& at, float* scratch) {
  auto* rows = reinterpret_cast<std::int16_t*>(scratch + at.key_rows);
  const int width = pairs(head_dim);
  HWY_NAMESPACE::quantize_rows(k, ld, length, head_dim, rows,
                               2 * static_cast<std::ptrdiff_t>(width), scratch + at.key_scales);
  std::fill(scratch + at.key_scales + length, scratch + at.key_scales + padded(length), 0.0F);
  HWY_NAMESPACE::pack_f32(scratch + at.key_rows, width, length, width, scratch + at.keys);
  return {reinterpret_cast<const std::int16_t*>(scratch + at.keys), scratch + at.key_scales, length,
          head_dim};
}

/// Values of some features at one position; zeros beyond the last position.
struct ValueColumns {
  const float* v;
  std::ptrdiff_t ld;
  int length;
  hn::Mask<rows::Tag> mask;

  HWY_INLINE hn::Vec<rows::Tag> operator()(int position) const {
    return hn::MaskedLoad(mask, rows::Tag(), v + position * ld);
  }
  HWY_INLINE hn::Vec<IntTag> rounded(int position, hn::Vec<rows::Tag> inverse) const {
    if (position >= length) return hn::Zero(IntTag());
    return rounded_product(rows::Tag(), (*this)(position), inverse);
  }
};

/// Rounds values feature by feature and brings pairs of positions into panels.
PackedPairs pack_values(const float* v, std::ptrdiff_t ld, int length, int head_dim,
                        const HeadScratch& at, float* scratch) {
  constexpr float kSmallestMagnitude = 1e-30F;  // as the scalar twin
  const rows::Tag tag;
  const auto limit = hn::Set(tag, static_cast<float>(kValueLimitI16));
  float* scales = scratch + at.value_scales;
  auto* data = reinterpret_cast<std::int16_t*>(scratch + at.values);
  for (int column = 0; column < padded(head_dim); column += rows::kLanes) {
    const auto here = static_cast<std::size_t>(std::clamp(head_dim - column, 0, rows::kLanes));
    const ValueColumns columns{v + std::min(column, head_dim), ld, length, hn::FirstN(tag, here)};
    auto largest = hn::Zero(tag);
    auto poison = hn::Zero(tag);  // 0 * x is 0, or NaN where x is not finite
    for (int p = 0; p < length; ++p) {
      rows::fetch(v + std::min(column, head_dim) + (p + rows::kRowsAhead) * ld, rows::kLanes);
      const auto value = columns(p);
      largest = rows::larger(hn::Abs(value), largest);
      poison = hn::MulAdd(value, hn::Zero(tag), poison);
    }
    hn::StoreU(hn::Add(hn::Div(largest, limit), poison), tag, scales + column);
    const auto usable = hn::Ge(largest, hn::Set(tag, kSmallestMagnitude));
    const auto inverse = hn::IfThenElseZero(usable, hn::Div(limit, largest));
    const std::ptrdiff_t panel = column / kPanel * kPanel;
    std::int16_t* out =
        data + panel * 2 * pairs(length) + static_cast<std::ptrdiff_t>(2) * (column % kPanel);
    for (int p = 0; p < length; p += 2, out += 2 * kPanel) {
      const auto first = hn::And(columns.rounded(p, inverse), hn::Set(IntTag(), 0xFFFF));
      const auto second = hn::ShiftLeft<16>(columns.rounded(p + 1, inverse));
      hn::StoreU(hn::BitCast(gemm::PairTag(), hn::Or(first, second)), gemm::PairTag(), out);
    }
  }
  return {data, scales, head_dim, length};
}

/// Rounds weights x [n], whose sum is one over `inverse_sum`. Returns one over the sum of the
/// rounded ones: together they are weights of 1.
float round_weights(const float* x, int n, float inverse_sum, std::int16_t* out) {
  const rows::Tag tag;
  const hn::Rebind<std::int16_t, rows::Tag> narrow;
  const float limit = weight_limit_i16(inverse_sum, n);
  auto sum_v = hn::Zero(IntTag());
  int i = 0;
  for (; i + rows::kLanes <= n; i += rows::kLanes) {
    const auto rounded = rounded_product(tag, hn::LoadU(tag, x + i), hn::Set(tag, limit));
    hn::StoreU(hn::DemoteTo(narrow, rounded), narrow, out + i);
    sum_v = hn::Add(sum_v, rounded);
  }
  if (i < n) {
    const auto rest = hn::FirstN(tag, static_cast<std::size_t>(n - i));
    const auto value = hn::MaskedLoad(rest, tag, x + i);
    const auto rounded = rounded_product(tag, value, hn::Set(tag, limit));
    sum_v = hn::Add(sum_v, rounded);
    std::int16_t last[rows::kLanes];
    hn::StoreU(hn::DemoteTo(narrow, rounded), narrow, last);
    for (int j = 0; i + j < 2 * pairs(n); ++j) out[i + j] = last[j];
  }
  const std::int32_t sum = hn::GetLane(hn::SumOfLanes(IntTag(), sum_v));
  return sum > 0 ? 1.0F / static_cast<float>(sum) : 0.0F;
}

template <class Products>
HWY_INLINE void attend_head(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                            int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                            float* scratch) {
  const HeadScratch at(length, head_dim);
  const PackedPairs keys = pack_keys(k, ld, length, head_dim, at, scratch);
  const PackedPairs values = pack_values(v, ld, length, head_dim, at, scratch);
  float* scores = scratch + at.scores;
  auto* rounded = reinterpret_cast<std::int16_t*>(scratch + at.rounded);
  float* row_scales = scratch + at.row_scales;
  const std::ptrdiff_t ld_scores = padded(length);
  const std::ptrdiff_t ld_queries = 2 * static_cast<std::ptrdiff_t>(pairs(head_dim));
  const std::ptrdiff_t ld_weights = 2 * static_cast<std::ptrdiff_t>(pairs(length));
  const gemm::EvenParts blocks(length, kAttentionRows);
  for (int block = 0; block < blocks.count(); ++block) {
    const std::ptrdiff_t begin = blocks.begin(block);
    const int count = blocks.size(block);
    HWY_NAMESPACE::quantize_rows(q + begin * ld, ld, count, head_dim, rounded, ld_queries,
                                 row_scales);
    multiply_pairs<Products>(rounded, row_scales, count, keys, scores, ld_scores);
    for (int i = 0; i < count; ++i) {
      float* weights = scores + i * ld_scores;
      const float inverse_sum = rows::exponentials(weights, length, scale);
      row_scales[i] = round_weights(weights, length, inverse_sum, rounded + i * ld_weights);
    }
    multiply_pairs<Products>(rounded, row_scales, count, values, out + begin * ldo, ldo);
  }
}

}  // namespace

void head_attention_i16(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                        int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                        float* scratch) {
  attend_head<gemm::PairProducts>(q, k, v, ld, length, head_dim, scale, out, ldo, scratch);
}

#if HWY_TARGET == HWY_AVX3
void head_attention_i16_vnni(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                             int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                             float* scratch) {
  attend_head<gemm::VnniPairProducts>(q, k, v, ld, length, head_dim, scale, out, ldo, scratch);
}
#endif

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
