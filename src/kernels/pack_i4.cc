#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "base/float16.h"
#include "kernels/block4.h"
#include "kernels/kernels.h"
#include "kernels/round4.h"

// Rounding to 4 bits happens once, when an engine is compiled: no SIMD form needed.
namespace kobolt::kernels {
namespace {

using Group = std::array<float, kGroup4>;

float squared_error(const Group& group, float scale) {
  const float inverse = 1.0F / scale;
  std::array<float, 4> errors = {};  // of independent sums
  for (std::size_t i = 0; i < group.size(); ++i) {
    const float error = group[i] - scale * rounded4(group[i], inverse);
    errors[i % errors.size()] += error * error;
  }
  return (errors[0] + errors[1]) + (errors[2] + errors[3]);
}

/// The scale, as bfloat16, that rounds the group best.
std::uint16_t best_scale(const Group& group) {
  const auto candidates = scales4(extreme_of(group));
  if (candidates.front() == candidates.back()) return candidates.front();
  std::uint16_t best = candidates.front();
  float least = HUGE_VALF;
  for (const std::uint16_t candidate : candidates) {
    const float error = squared_error(group, f32_from_bf16(candidate));
    if (error < least) {
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
  set_block_scale(block, column, stored);
  const float scale = f32_from_bf16(stored);
  if (stored == 0 || std::isinf(scale)) return;  // the nibbles stay 0
  const float inverse = 1.0F / scale;
  for (int l = 0; l < kGroup4; ++l) {
    set_block_weight(block, column, l,
                     static_cast<int>(rounded4(group[static_cast<std::size_t>(l)], inverse)));
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
