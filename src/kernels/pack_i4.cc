#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>

#include "base/float16.h"
#include "kernels/block4.h"
#include "kernels/kernels.h"

// Rounding to 4 bits happens once, when an engine is compiled: no SIMD form needed.
namespace kobolt::kernels {
namespace {

using Group = std::array<float, kGroup4>;

constexpr float kLeast = -8.0F;
constexpr float kMost = 7.0F;

/// Where the largest magnitude of a group may come to lie, in steps. -8 uses the whole range; a
/// smaller one makes all steps finer at the cost of cutting off that value, a larger one the other
/// way round. Over the weights of a trained model the best of these for each group leaves an error
/// of 8.2 % (root of mean squares), always -8 8.6 %, and -7..7 9.7 %.
constexpr float kFirstReach = 5.0F;
constexpr float kReachStep = 0.25F;
constexpr int kReaches = 17;

/// value * inverse, rounded to nearest even and cut to what 4 bits hold. Adding and taking away
/// 1.5 * 2^23 rounds, as a vector instruction too.
float rounded(float value, float inverse) {
  constexpr float kShift = 12582912.0F;
  // Cut first: the trick works for small values only.
  const float cut = std::min(std::max(value * inverse, 2 * kLeast), 2 * kMost);
  return std::min(std::max((cut + kShift) - kShift, kLeast), kMost);
}

float squared_error(const Group& group, float scale) {
  const float inverse = 1.0F / scale;
  std::array<float, 4> errors = {};  // of independent sums
  for (std::size_t i = 0; i < group.size(); ++i) {
    const float error = group[i] - scale * rounded(group[i], inverse);
    errors[i % errors.size()] += error * error;
  }
  return (errors[0] + errors[1]) + (errors[2] + errors[3]);
}

/// The scale, as bfloat16, that rounds the group best; 0 for a group of nothing.
std::uint16_t best_scale(const Group& group) {
  // Below this, the inverse of a scale would overflow; such a group is zero for all purposes.
  constexpr float kTiny = 1e-30F;
  const float extreme = *std::ranges::max_element(
      group, {}, [](float value) { return std::isnan(value) ? 0.0F : std::abs(value); });
  if (!(std::abs(extreme) >= kTiny)) return 0;
  if (std::isinf(extreme)) return bf16_from_f32(std::abs(extreme));
  std::uint16_t best = 0;
  float least = HUGE_VALF;
  for (int i = 0; i < kReaches; ++i) {
    const float reach = kFirstReach + kReachStep * static_cast<float>(i);
    // The side of the extreme gets the longer half of -8..7, so the scale may be negative.
    const std::uint16_t candidate = bf16_from_f32(extreme / -reach);
    const float error = squared_error(group, f32_from_bf16(candidate));
    // !(>=) so that the first one is taken even where squares overflow.
    if (best == 0 || error < least) {
      best = candidate;
      least = error;
    }
  }
  return best;
}

void pack_group(Group& group, std::uint8_t* block, int column) {
  for (float& value : group) {
    if (std::isnan(value)) value = 0.0F;
  }
  const std::uint16_t stored = best_scale(group);
  std::memcpy(block + column * 2, &stored, sizeof(stored));
  const float scale = f32_from_bf16(stored);
  if (stored == 0 || std::isinf(scale)) return;  // the nibbles stay 0
  const float inverse = 1.0F / scale;
  for (int l = 0; l < kGroup4; ++l) {
    const auto q = static_cast<int>(rounded(group[static_cast<std::size_t>(l)], inverse));
    block[nibble_byte(column, l)] |= static_cast<std::uint8_t>((q & 0xF) << nibble_shift(l));
  }
}

}  // namespace

std::size_t packed_i4_size(int n, int k) {
  return static_cast<std::size_t>(panels(n)) * static_cast<std::size_t>(groups(k)) * kBlock4;
}

void pack_i4(const float* w, std::ptrdiff_t ld, int n, int k, std::uint8_t* out) {
  assert(n >= 0 && k >= 0);
  std::fill_n(out, packed_i4_size(n, k), std::uint8_t{0});
  for (int j = 0; j < n; ++j) {
    std::uint8_t* panel = out + static_cast<std::ptrdiff_t>(j / kPanel) * groups(k) * kBlock4;
    for (int g = 0; g < groups(k); ++g) {
      Group group = {};
      std::copy_n(w + j * ld + static_cast<std::ptrdiff_t>(g) * kGroup4,
                  std::min(kGroup4, k - g * kGroup4), group.begin());
      pack_group(group, panel + static_cast<std::ptrdiff_t>(g) * kBlock4, j % kPanel);
    }
  }
}

void unpack_i4_row(const PackedI4& w, int row, float* out) {
  const std::uint8_t* panel =
      w.data + static_cast<std::ptrdiff_t>(row / kPanel) * groups(w.k) * kBlock4;
  for (int l = 0; l < w.k; ++l) {
    const std::uint8_t* block = panel + static_cast<std::ptrdiff_t>(l / kGroup4) * kBlock4;
    out[l] = block_scale(block, row % kPanel) *
             static_cast<float>(block_weight(block, row % kPanel, l % kGroup4));
  }
}

}  // namespace kobolt::kernels
