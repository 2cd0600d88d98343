#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "base/float16.h"
#include "kernels/bytes.h"
#include "kernels/kernels.h"

// Sizes and the packing that happens once, when an engine is compiled: no SIMD form needed.
namespace kobolt::kernels {
namespace {

template <class Round>
void pack_16(const Round& round, const float* w, std::ptrdiff_t ld, int n, int k,
             std::uint16_t* out) {
  assert(n >= 0 && k >= 0);
  for (int j = 0; j < padded(n); ++j) {
    std::uint16_t* panel = out + static_cast<std::ptrdiff_t>(j / kPanel) * k * kPanel;
    for (int l = 0; l < k; ++l) {
      panel[l * kPanel + j % kPanel] = j < n ? round(w[j * ld + l]) : std::uint16_t{0};
    }
  }
}

/// `most`, or what keeps a sum of k products with weights within 32 bits.
int limit_of(std::int64_t most, int k) {
  constexpr std::int64_t kLargestWeight = 127;
  constexpr std::int64_t kLargestSum = std::numeric_limits<std::int32_t>::max();
  if (k <= 0) return static_cast<int>(most);
  return static_cast<int>(std::min(most, kLargestSum / (kLargestWeight * k)));
}

}  // namespace

std::size_t packed_f32_size(int n, int k) {
  return static_cast<std::size_t>(padded(n)) * static_cast<std::size_t>(k);
}

std::size_t packed_i8_size(int n, int k) {
  return static_cast<std::size_t>(padded(n)) * static_cast<std::size_t>(pairs(k)) * 2;
}

std::size_t packed_16_size(int n, int k) { return packed_f32_size(n, k); }

void pack_f16(const float* w, std::ptrdiff_t ld, int n, int k, std::uint16_t* out) {
  pack_16(f16_from_f32, w, ld, n, k, out);
}

void pack_bf16(const float* w, std::ptrdiff_t ld, int n, int k, std::uint16_t* out) {
  pack_16(bf16_from_f32, w, ld, n, k, out);
}

int activation_limit(int k) { return limit_of(2047, k); }
int byte_limit(int k) { return limit_of(255, k); }

void pack_i8(const float* w, std::ptrdiff_t ld, int n, int k, std::int8_t* out, float* scales) {
  assert(n >= 0 && k >= 0);
  constexpr float kLargest = 127.0F;
  // Below this 127 / max would overflow; such a row is zero for all purposes.
  constexpr float kTiny = 1e-30F;
  const auto panel_size = static_cast<std::ptrdiff_t>(pairs(k)) * kPanel * 2;
  std::fill_n(out, packed_i8_size(n, k), std::int8_t{0});
  for (int j = 0; j < padded(n); ++j) {
    scales[j] = 0.0F;
    if (j >= n) continue;
    const float* row = w + j * ld;
    float largest = 0.0F;
    for (int i = 0; i < k; ++i) largest = std::max(largest, std::abs(row[i]));
    if (!(largest >= kTiny)) continue;
    scales[j] = largest / kLargest;
    const float inverse = kLargest / largest;
    std::int8_t* panel = out + j / kPanel * panel_size;
    for (int i = 0; i < k; ++i) {
      const float q = std::clamp(std::nearbyint(row[i] * inverse), -kLargest, kLargest);
      panel[(i / 2 * kPanel + j % kPanel) * 2 + i % 2] =
          std::isnan(q) ? std::int8_t{0} : static_cast<std::int8_t>(q);
    }
  }
}

}  // namespace kobolt::kernels
