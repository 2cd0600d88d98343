#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/cache_simd.cc"  // NOLINT
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/float16.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/attention-inl.h"
#include "kernels/simd/declarations-inl.h"

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

float inverse_of(float largest) { return largest >= kSmallestMagnitude ? kMost / largest : 0.0F; }

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
  HWY_INLINE float scale(std::int32_t /*index*/, int /*head*/) const { return 1.0F; }
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
  HWY_INLINE float scale(std::int32_t index, int head) const {
    return cache.scales[index * cache.ld_scales + head];
  }
};

/// attention_i8 on either form of gemm_i8.
template <decltype(&kernels::gemm_i8) kGemm>
HWY_INLINE void attend_i8(const float* q, std::ptrdiff_t ldq, int m, const PackedI8& keys,
                          const PackedI8& values, float scale, float* out, std::ptrdiff_t ldo,
                          float* scratch) {
  const std::ptrdiff_t ld = padded(keys.n);
  const std::ptrdiff_t most_rows = std::min(m, kAttentionRows);
  float* row_scales = scratch + most_rows * ld;
  auto* quantized = reinterpret_cast<std::int16_t*>(row_scales + most_rows);
  float inverses[kAttentionRows];
  const gemm::EvenParts blocks(m, kAttentionRows);
  for (int block = 0; block < blocks.count(); ++block) {
    const std::ptrdiff_t begin = blocks.begin(block);
    const int count = blocks.size(block);
    const std::ptrdiff_t ldq_i16 = 2 * static_cast<std::ptrdiff_t>(pairs(keys.k));
    HWY_NAMESPACE::quantize_rows(q + begin * ldq, ldq, count, keys.k, quantized, ldq_i16,
                                 row_scales);
    kGemm(quantized, ldq_i16, row_scales, count, keys, 0, panels(keys.n), scratch, ld, {});
    for (int i = 0; i < count; ++i)
      inverses[i] = rows::exponentials(scratch + i * ld, keys.n, scale);
    const std::ptrdiff_t ldw_i16 = 2 * static_cast<std::ptrdiff_t>(pairs(values.k));
    HWY_NAMESPACE::quantize_rows(scratch, ld, count, values.k, quantized, ldw_i16, row_scales);
    for (int i = 0; i < count; ++i) row_scales[i] *= inverses[i];
    kGemm(quantized, ldw_i16, row_scales, count, values, 0, panels(values.n), out + begin * ldo,
          ldo, {});
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
  for (int h = 0; h < heads; ++h) {
    const float* head = x + static_cast<std::ptrdiff_t>(h) * head_dim;
    std::int8_t* to = out + static_cast<std::ptrdiff_t>(h) * head_dim;
    V largest_v = hn::Zero(tag);
    V poison_v = hn::Zero(tag);
    int d = 0;
    for (; d + kLanes <= head_dim; d += kLanes) {
      const V value = hn::LoadU(tag, head + d);
      const V magnitude = hn::Abs(value);
      poison_v = hn::MulAdd(value, hn::Zero(tag), poison_v);
      largest_v = hn::IfThenElse(hn::Gt(magnitude, largest_v), magnitude, largest_v);
    }
    float largest = hn::GetLane(hn::MaxOfLanes(tag, largest_v));
    float poison = hn::GetLane(hn::SumOfLanes(tag, poison_v));
    for (; d < head_dim; ++d) {
      poison += head[d] * 0.0F;
      if (std::abs(head[d]) > largest) largest = std::abs(head[d]);
    }
    scales[h] = largest / kMost + poison;
    const float inverse = inverse_of(largest);
    for (d = 0; d + kLanes <= head_dim; d += kLanes) {
      const auto narrowed = narrow(hn::LoadU(tag, head + d), hn::Set(tag, inverse));
      hn::StoreU(hn::DemoteTo(bytes, narrowed), bytes, to + d);
    }
    for (; d < head_dim; ++d) {
      const float q = std::nearbyint(head[d] * inverse);
      to[d] = std::abs(q) <= kMost ? static_cast<std::int8_t>(q) : std::int8_t{0};
    }
  }
}

void attention_f16(const float* q, std::ptrdiff_t ldq, int m, const PackedF16& keys,
                   const PackedF16& values, float scale, float* out, std::ptrdiff_t ldo,
                   float* scratch) {
  attend<HWY_NAMESPACE::gemm_f16>(q, ldq, m, keys, values, scale, out, ldo, scratch);
}

void attention_i8(const float* q, std::ptrdiff_t ldq, int m, const PackedI8& keys,
                  const PackedI8& values, float scale, float* out, std::ptrdiff_t ldo,
                  float* scratch) {
  attend_i8<HWY_NAMESPACE::gemm_i8>(q, ldq, m, keys, values, scale, out, ldo, scratch);
}

#if HWY_TARGET == HWY_AVX3
void attention_i8_vnni(const float* q, std::ptrdiff_t ldq, int m, const PackedI8& keys,
                       const PackedI8& values, float scale, float* out, std::ptrdiff_t ldo,
                       float* scratch) {
  attend_i8<gemm_i8_vnni>(q, ldq, m, keys, values, scale, out, ldo, scratch);
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
