#include "kernels/cache.h"

#include <cstdint>
#include <numeric>

#include "base/float16.h"
#include "kernel_test.h"

namespace kobolt::kernels {
namespace {

using Floats = std::vector<float>;

std::size_t size_of(int a, int b) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

/// Keys and values of one head: as floats that the format holds exactly, and in the format.
struct Head {
  Floats keys;  // PackedF32's data
  Floats values;
  std::vector<std::uint16_t> keys_f16, values_f16;
  std::vector<std::int8_t> keys_i8, values_i8;
  Floats key_scales, value_scales;
};

class CacheTest : public KernelTest {
 protected:
  Floats packed(int n, int k) {
    const Floats w = random(size_of(n, k));
    Floats data(packed_f32_size(n, k));
    pack_f32(w.data(), k, n, k, data.data());
    return data;
  }

  static void round_to_f16(Floats& data, std::vector<std::uint16_t>& narrow) {
    narrow.resize(data.size());
    narrow_f16(data.data(), data.size(), narrow.data());
    std::ranges::transform(narrow, data.begin(), f32_from_f16);
  }

  static void round_to_i8(Floats& data, int n, int k, std::vector<std::int8_t>& narrow,
                          Floats& scales) {
    narrow.resize(packed_i8_size(n, k));
    scales.resize(static_cast<std::size_t>(padded(n)));
    narrow_panels_i8(data.data(), n, k, narrow.data(), scales.data());
    for (int j = 0; j < padded(n); ++j) {
      for (int i = 0; i < k; ++i) {
        const auto panel = static_cast<std::size_t>(j / kPanel * kPanel);
        const auto lane = static_cast<std::size_t>(j % kPanel);
        const auto row = static_cast<std::size_t>(i);
        data[panel * static_cast<std::size_t>(k) + row * kPanel + lane] =
            scales[static_cast<std::size_t>(j)] *
            static_cast<float>(narrow[panel * 2 * static_cast<std::size_t>(pairs(k)) +
                                      (row / 2 * kPanel + lane) * 2 + row % 2]);
      }
    }
  }

  Head head_f16(int length, int head_dim) {
    Head head{.keys = packed(length, head_dim), .values = packed(head_dim, length)};
    round_to_f16(head.keys, head.keys_f16);
    round_to_f16(head.values, head.values_f16);
    return head;
  }
  Head head_i8(int length, int head_dim) {
    Head head{.keys = packed(length, head_dim), .values = packed(head_dim, length)};
    round_to_i8(head.keys, length, head_dim, head.keys_i8, head.key_scales);
    round_to_i8(head.values, head_dim, length, head.values_i8, head.value_scales);
    return head;
  }

  /// attention() over the rounded floats.
  static Floats expected(const Floats& q, int m, const Head& head, int length, int head_dim,
                         float scale) {
    Floats out(size_of(m, head_dim));
    Floats scratch(attention_scratch(m, length));
    attention(q.data(), head_dim, m, {head.keys.data(), length, head_dim},
              {head.values.data(), head_dim, length}, scale, out.data(), head_dim, scratch.data());
    return out;
  }
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(CacheTest);

TEST_P(CacheTest, Binary16IsRoundedToNearestEven) {
  Floats x = random(1003, 0.0F, 300.0F);
  x.insert(x.end(), {0.0F, -0.0F, 1e-7F, 6e-8F, 65504.0F, 65519.0F, 65520.0F, 1e9F, kInfinity});
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{7}, x.size()}) {
    std::vector<std::uint16_t> out(count + 1, 0xABCD);
    narrow_f16(x.data(), count, out.data());
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(out[i], f16_from_f32(x[i])) << x[i];
    ASSERT_EQ(out[count], 0xABCD);
  }
}

TEST_P(CacheTest, PanelsAreQuantizedAsWeightsAre) {
  for (const int n : {1, 15, 16, 17, 50}) {
    for (const int k : {1, 2, 7, 64, 65}) {
      const Floats w = random(size_of(n, k));
      Floats panels_f32(packed_f32_size(n, k));
      pack_f32(w.data(), k, n, k, panels_f32.data());
      std::vector<std::int8_t> expected(packed_i8_size(n, k));
      std::vector<std::int8_t> found(packed_i8_size(n, k), 99);
      Floats expected_scales(static_cast<std::size_t>(padded(n)));
      Floats found_scales(static_cast<std::size_t>(padded(n)), kGuard);
      pack_i8(w.data(), k, n, k, expected.data(), expected_scales.data());
      narrow_panels_i8(panels_f32.data(), n, k, found.data(), found_scales.data());
      ASSERT_EQ(found, expected) << n << " x " << k;
      ASSERT_EQ(found_scales, expected_scales) << n << " x " << k;
    }
  }
}

TEST_P(CacheTest, HeadsHaveAScaleEach) {
  for (const int head_dim : {1, 5, 8, 48, 64}) {
    const int heads = 3;
    Floats x = random(size_of(heads, head_dim));
    for (int d = 0; d < head_dim; ++d) x[static_cast<std::size_t>(d + head_dim)] = 0.0F;
    std::vector<std::int8_t> out(x.size() + 1, 99);
    Floats scales(heads + 1, kGuard);
    narrow_heads_i8(x.data(), heads, head_dim, out.data(), scales.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float scale = scales[i / static_cast<std::size_t>(head_dim)];
      ASSERT_NEAR(scale * static_cast<float>(out[i]), x[i], 0.501F * scale);
    }
    EXPECT_EQ(scales[1], 0.0F);
    EXPECT_EQ(scales.back(), kGuard);
    EXPECT_EQ(out.back(), 99);
  }
}

TEST_P(CacheTest, WhatIsNoNumberPoisonsItsScale) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    Floats head(24, 1.0F);
    head[9] = bad;
    std::vector<std::int8_t> out(24);
    float scale = 0.0F;
    narrow_heads_i8(head.data(), 1, 24, out.data(), &scale);
    EXPECT_TRUE(std::isnan(scale)) << bad;
    Floats panel(static_cast<std::size_t>(kPanel) * 3, 1.0F);
    panel[kPanel + 2] = bad;
    std::vector<std::int8_t> narrow(packed_i8_size(kPanel, 3));
    Floats scales(kPanel);
    narrow_panels_i8(panel.data(), kPanel, 3, narrow.data(), scales.data());
    for (std::size_t j = 0; j < kPanel; ++j) EXPECT_EQ(std::isnan(scales[j]), j == 2) << bad;
  }
}

TEST_P(CacheTest, AttentionOverBinary16IsThatOverTheRoundedFloats) {
  for (const int head_dim : {4, 48, 64}) {
    for (const int length : {1, 2, 17, 100, 513}) {
      for (const int m : {1, 4, 7, 25}) {
        const Floats q = random(size_of(m, head_dim));
        const Head head = head_f16(length, head_dim);
        const Floats wanted = expected(q, m, head, length, head_dim, 0.3F);
        GuardedOutput out(m, head_dim);
        Floats scratch(attention_scratch(m, length) + 1, kGuard);
        attention_f16(q.data(), head_dim, m, {head.keys_f16.data(), length, head_dim},
                      {head.values_f16.data(), head_dim, length}, 0.3F, out.data(), out.ld(),
                      scratch.data());
        Worst worst;
        for (int i = 0; i < m; ++i) {
          for (int d = 0; d < head_dim; ++d) {
            worst.see(out.at(i, d), wanted[size_of(i, head_dim) + static_cast<std::size_t>(d)],
                      1e-5, i, d);
          }
        }
        ASSERT_TRUE(worst.within_bounds()) << m << ", " << length << ", " << head_dim;
        ASSERT_TRUE(out.guards_hold());
        ASSERT_EQ(scratch.back(), kGuard);
      }
    }
  }
}

TEST_P(CacheTest, AttentionOverInt8AddsOnlyTheRoundingOf12Bits) {
  for (const int head_dim : {4, 48, 64}) {
    for (const int length : {1, 2, 17, 100, 513}) {
      for (const int m : {1, 4, 7, 25}) {
        const Floats q = random(size_of(m, head_dim));
        const Head head = head_i8(length, head_dim);
        const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
        const Floats wanted = expected(q, m, head, length, head_dim, scale);
        GuardedOutput out(m, head_dim);
        Floats scratch(attention_scratch_i8(m, length, head_dim) + 1, kGuard);
        attention_i8(q.data(), head_dim, m,
                     {head.keys_i8.data(), head.key_scales.data(), length, head_dim},
                     {head.values_i8.data(), head.value_scales.data(), head_dim, length}, scale,
                     out.data(), out.ld(), scratch.data());
        Worst worst;
        for (int i = 0; i < m; ++i) {
          for (int d = 0; d < head_dim; ++d) {
            // Queries and weights are within 1/4094 of their row's largest; values are about 1.
            worst.see(out.at(i, d), wanted[size_of(i, head_dim) + static_cast<std::size_t>(d)],
                      4e-3, i, d);
          }
        }
        ASSERT_TRUE(worst.within_bounds()) << m << ", " << length << ", " << head_dim;
        ASSERT_TRUE(out.guards_hold());
        ASSERT_EQ(scratch.back(), kGuard);
      }
    }
  }
}

TEST_P(CacheTest, StepsOverNarrowRowsAreThoseOverTheRoundedFloats) {
  for (const int head_dim : {1, 4, 9, 48, 64, 80}) {
    for (const int length : {1, 2, 9, 40}) {
      const int heads = 3;
      const int width = heads * head_dim;
      const int slots = 2 * length;
      std::vector<std::int32_t> rows(static_cast<std::size_t>(length));
      for (std::int32_t& row : rows) row = random_integer(0, slots - 1);
      const Floats q = random(static_cast<std::size_t>(width));
      const Floats keys = random(size_of(slots, width));
      const Floats values = random(size_of(slots, width));
      Floats scratch(size_of(heads, length) + 1, kGuard);
      Floats wanted(q.size());
      Floats found(q.size() + 1, kGuard);

      std::vector<std::uint16_t> keys_f16(keys.size());
      std::vector<std::uint16_t> values_f16(keys.size());
      Floats rounded_keys = keys;
      Floats rounded_values = values;
      round_to_f16(rounded_keys, keys_f16);
      round_to_f16(rounded_values, values_f16);
      attention_step(q.data(), rounded_keys.data(), rounded_values.data(), width, rows.data(),
                     length, heads, head_dim, 0.4F, wanted.data(), scratch.data());
      attention_step_f16(q.data(), keys_f16.data(), values_f16.data(), width, rows.data(), length,
                         heads, head_dim, 0.4F, found.data(), scratch.data());
      for (std::size_t i = 0; i < q.size(); ++i) ASSERT_NEAR(found[i], wanted[i], 1e-5F);
      ASSERT_EQ(found.back(), kGuard);

      const auto narrow = [&](const Floats& x, std::vector<std::int8_t>& out, Floats& scales,
                              Floats& rounded) {
        out.resize(x.size());
        scales.resize(size_of(slots, heads));
        for (int slot = 0; slot < slots; ++slot) {
          const std::size_t at = size_of(slot, width);
          narrow_heads_i8(&x[at], heads, head_dim, &out[at], &scales[size_of(slot, heads)]);
        }
        for (std::size_t i = 0; i < x.size(); ++i) {
          rounded[i] = scales[i / static_cast<std::size_t>(head_dim)] * static_cast<float>(out[i]);
        }
      };
      std::vector<std::int8_t> keys_i8;
      std::vector<std::int8_t> values_i8;
      Floats key_scales;
      Floats value_scales;
      narrow(keys, keys_i8, key_scales, rounded_keys);
      narrow(values, values_i8, value_scales, rounded_values);
      attention_step(q.data(), rounded_keys.data(), rounded_values.data(), width, rows.data(),
                     length, heads, head_dim, 0.4F, wanted.data(), scratch.data());
      attention_step_i8(q.data(), {keys_i8.data(), key_scales.data(), width, heads},
                        {values_i8.data(), value_scales.data(), width, heads}, rows.data(), length,
                        heads, head_dim, 0.4F, found.data(), scratch.data());
      for (std::size_t i = 0; i < q.size(); ++i) ASSERT_NEAR(found[i], wanted[i], 1e-5F);
      ASSERT_EQ(found.back(), kGuard);
      ASSERT_EQ(scratch.back(), kGuard);
    }
  }
}

}  // namespace
}  // namespace kobolt::kernels
