#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/cache_simd.cc"  // NOLINT
#include <algorithm>
#include <cstring>

#include "base/float16.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/attention-inl.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/float_tiles-inl.h"
#include "kernels/simd/rounded_weights-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

using rows::kLanes;
using rows::Tag;
using V = hn::Vec<Tag>;
using IntTag = hn::RebindToSigned<Tag>;
constexpr float kSmallestMagnitude = 1e-30F;  // as the scalar twin
constexpr float kMost = 127.0F;

/// x * inverse rounded; 0 for what is no number of -127..127.
HWY_INLINE hn::Vec<IntTag> narrow(V x, V inverse) {
  const Tag tag;
  const V scaled = hn::Mul(x, inverse);
  const auto valid = hn::Lt(hn::Abs(scaled), hn::Set(tag, kMost + 0.5F));
  return hn::NearestInt(hn::IfThenElseZero(valid, scaled));
}

/// A cached position in binary16 for attention_heads.
struct HalfRows {
  const std::uint16_t* data;
  std::ptrdiff_t ld;
  using Row = const std::uint16_t*;

  HWY_INLINE Row row(std::int32_t index, std::ptrdiff_t at) const { return data + index * ld + at; }
  static HWY_INLINE V load(Row row) {
    const hn::Rebind<std::uint16_t, Tag> bits;
    const hn::Rebind<hwy::float16_t, Tag> half;
    return hn::PromoteTo(Tag(), hn::BitCast(half, hn::LoadU(bits, row)));
  }
  static HWY_INLINE float one(Row row) { return f32_from_f16(*row); }
  template <class D>
  static HWY_INLINE hn::Vec<D> scaled(D /*d*/, hn::Vec<D> x, std::int32_t /*index*/, int /*head*/,
                                      int /*count*/) {
    return x;
  }
};

/// The same in int8.
struct ByteRows {
  CacheRowsI8 cache;
  using Row = const std::int8_t*;

  HWY_INLINE Row row(std::int32_t index, std::ptrdiff_t at) const {
    return cache.data + index * cache.ld + at;
  }
  static HWY_INLINE V load(Row row) {
    const hn::Rebind<std::int8_t, Tag> bytes;
    return hn::ConvertTo(Tag(), hn::PromoteTo(IntTag(), hn::LoadU(bytes, row)));
  }
  static HWY_INLINE float one(Row row) { return static_cast<float>(*row); }
  template <class D>
  HWY_INLINE hn::Vec<D> scaled(D d, hn::Vec<D> x, std::int32_t index, int head, int count) const {
    return hn::Mul(x, rows::load_some(cache.scales + index * cache.ld_scales + head, count, d));
  }
};

template <class Units>
gemm::Panels<std::int8_t> panels_of(const PackedI8& w) {
  return gemm::panels_of<Units>(w.data, pairs(w.k), 0, panels(w.n));
}

/// attention_i8 with either products of pairs.
template <class Products>
HWY_INLINE void attend_i8(const float* q, std::ptrdiff_t ldq, int m, const PackedI8& keys,
                          const PackedI8& values, float scale, float* out, std::ptrdiff_t ldo,
                          float* scratch) {
  using Units = gemm::NarrowPairs<Products>;
  const rows::Scores scores{scratch, padded(keys.n), keys.n};
  float* factors = scratch + std::min(m, kAttentionRows) * scores.ld;
  auto* quantized = reinterpret_cast<std::int16_t*>(factors + padded(kAttentionRows));
  const auto limit = static_cast<float>(activation_limit(values.k));
  const std::ptrdiff_t ld_queries = 2 * static_cast<std::ptrdiff_t>(pairs(keys.k));
  const std::ptrdiff_t ld_weights = 2 * static_cast<std::ptrdiff_t>(pairs(values.k));
  const gemm::EvenParts blocks(m, kAttentionRows);
  for (int block = 0; block < blocks.count(); ++block) {
    const std::ptrdiff_t begin = blocks.begin(block);
    const int count = blocks.size(block);
    HWY_NAMESPACE::quantize_rows(q + begin * ldq, ldq, count, keys.k, quantized, ld_queries,
                                 factors);
    multiply_units<Units, InMemory>(quantized, ld_queries, count, panels_of<Units>(keys),
                                    padded(keys.n), KeyColumns{keys.scales, keys.n}, scores.data,
                                    scores.ld);
    rows::round_weights_in_order(scores, count, scale, limit, quantized, ld_weights, factors);
    multiply_units<Units, InMemory>(quantized, ld_weights, count, panels_of<Units>(values),
                                    values.n, ValueColumns{values.scales, factors},
                                    out + begin * ldo, ldo);
  }
}

}  // namespace

void narrow_f16(const float* x, std::size_t count, std::uint16_t* out) {
  const hn::Rebind<hwy::float16_t, Tag> half;
  const hn::Rebind<std::uint16_t, Tag> bits;
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    hn::StoreU(hn::BitCast(bits, hn::DemoteTo(half, hn::LoadU(Tag(), x + i))), bits, out + i);
  }
  for (; i < count; ++i) out[i] = f16_from_f32(x[i]);
}

void narrow_panels_i8(const float* packed, int n, int k, std::int8_t* out, float* scales) {
  const Tag tag;
  const IntTag integers;
  const hn::RebindToUnsigned<IntTag> words;
  const hn::Rebind<std::uint16_t, Tag> byte_pairs;
  for (std::ptrdiff_t j = 0; j < padded(n); j += kLanes) {
    const std::ptrdiff_t panel = j / kPanel * kPanel;
    const float* columns = packed + panel * k + j % kPanel;
    std::int8_t* to = out + panel * 2 * pairs(k) + 2 * (j % kPanel);
    V largest = hn::Zero(tag);
    V poison = hn::Zero(tag);
    for (std::ptrdiff_t i = 0; i < k; ++i) {
      const V x = hn::LoadU(tag, columns + i * kPanel);
      const V magnitude = hn::Abs(x);
      poison = hn::MulAdd(x, hn::Zero(tag), poison);
      largest = hn::IfThenElse(hn::Gt(magnitude, largest), magnitude, largest);
    }
    hn::StoreU(hn::Add(hn::Div(largest, hn::Set(tag, kMost)), poison), tag, scales + j);
    const auto usable = hn::Ge(largest, hn::Set(tag, kSmallestMagnitude));
    const V inverse = hn::IfThenElseZero(usable, hn::Div(hn::Set(tag, kMost), largest));
    for (std::ptrdiff_t i = 0; i < k; i += 2) {
      const auto first = narrow(hn::LoadU(tag, columns + i * kPanel), inverse);
      const auto second = i + 1 < k ? narrow(hn::LoadU(tag, columns + (i + 1) * kPanel), inverse)
                                    : hn::Zero(integers);
      const auto low = hn::And(first, hn::Set(integers, 0xFF));
      const auto high = hn::ShiftLeft<8>(hn::And(second, hn::Set(integers, 0xFF)));
      std::uint16_t both[static_cast<std::size_t>(kLanes)];
      hn::StoreU(hn::TruncateTo(byte_pairs, hn::BitCast(words, hn::Or(low, high))), byte_pairs,
                 both);
      std::memcpy(to + i * kPanel, both, sizeof(both));
    }
  }
}

void narrow_heads_i8(const float* x, int heads, int head_dim, std::int8_t* out, float* scales) {
  const Tag tag;
  const hn::Rebind<std::int8_t, Tag> bytes;
  const auto larger = [](auto a, auto b) { return hn::Max(a, b); };
  const int whole = head_dim / kLanes * kLanes;
  for (int begin = 0; begin < heads; begin += kLanes) {
    const int count = std::min(kLanes, heads - begin);
    const float* group = x + static_cast<std::ptrdiff_t>(begin) * head_dim;
    std::int8_t* to = out + static_cast<std::ptrdiff_t>(begin) * head_dim;
    rows::Partial<std::int32_t> magnitudes(count);
    for (int h = 0; h < count; ++h) {
      const float* head = group + static_cast<std::ptrdiff_t>(h) * head_dim;
      auto largest = rows::magnitude_bits(rows::load_first(head + whole, head_dim - whole));
      for (int d = 0; d < whole; d += kLanes) {
        largest = hn::Max(largest, rows::magnitude_bits(hn::LoadU(tag, head + d)));
      }
      hn::Store(largest, IntTag(), magnitudes.of_row[h]);
    }
    const rows::Rounding rounding =
        rows::rounding_of(rows::reduce(IntTag(), magnitudes, count, larger), kMost);
    alignas(64) float of_head[kLanes];
    hn::Store(rounding.scale, tag, of_head);
    std::copy_n(of_head, count, scales + begin);
    hn::Store(rounding.inverse, tag, of_head);
    for (int h = 0; h < count; ++h, to += head_dim) {
      const float* head = group + static_cast<std::ptrdiff_t>(h) * head_dim;
      const V inverse = hn::Set(tag, of_head[h]);
      for (int d = 0; d < whole; d += kLanes) {
        hn::StoreU(hn::DemoteTo(bytes, narrow(hn::LoadU(tag, head + d), inverse)), bytes, to + d);
      }
      if (whole == head_dim) continue;
      std::int8_t rest[kLanes];
      const auto narrowed = narrow(rows::load_first(head + whole, head_dim - whole), inverse);
      hn::StoreU(hn::DemoteTo(bytes, narrowed), bytes, rest);
      std::copy_n(rest, head_dim - whole, to + whole);
    }
  }
}

void attention_f16(const float* q, std::ptrdiff_t ldq, int m, const PackedF16& keys,
                   const PackedF16& values, float scale, float* out, std::ptrdiff_t ldo,
                   float* scratch) {
  attend<gemm::NarrowFloats<hwy::float16_t>>(q, ldq, m, keys, values, scale, out, ldo, scratch);
}

void attention_i8(const float* q, std::ptrdiff_t ldq, int m, const PackedI8& keys,
                  const PackedI8& values, float scale, float* out, std::ptrdiff_t ldo,
                  float* scratch) {
  attend_i8<gemm::PairProducts>(q, ldq, m, keys, values, scale, out, ldo, scratch);
}

#if HWY_TARGET == HWY_AVX3
void attention_i8_vnni(const float* q, std::ptrdiff_t ldq, int m, const PackedI8& keys,
                       const PackedI8& values, float scale, float* out, std::ptrdiff_t ldo,
                       float* scratch) {
  attend_i8<gemm::VnniPairProducts>(q, ldq, m, keys, values, scale, out, ldo, scratch);
}
#endif

void attention_step_f16(const float* q, const std::uint16_t* keys, const std::uint16_t* values,
                        std::ptrdiff_t ld, const std::int32_t* rows, int length, int heads,
                        int head_dim, float scale, float* out, float* scratch) {
  attention_heads(q, HalfRows{keys, ld}, HalfRows{values, ld}, rows, length, heads, head_dim, scale,
                  out, scratch);
}

void attention_step_i8(const float* q, const CacheRowsI8& keys, const CacheRowsI8& values,
                       const std::int32_t* rows, int length, int heads, int head_dim, float scale,
                       float* out, float* scratch) {
  attention_heads(q, ByteRows{keys}, ByteRows{values}, rows, length, heads, head_dim, scale, out,
                  scratch);
}

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
