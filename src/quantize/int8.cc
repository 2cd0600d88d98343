#include "quantize/int8.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kobolt {

void round_to_int8(std::span<float> values, float clip) {
  const float step = clip / 127;
  if (step == 0) {  // too small to be divided
    std::ranges::fill(values, 0.0F);
    return;
  }
  for (float& x : values) x = step * std::clamp(std::nearbyint(x / step), -127.0F, 127.0F);
}

float largest_magnitude(std::span<const float> values) {
  float largest = 0;
  for (const float x : values) largest = std::max(largest, std::abs(x));
  return largest;
}

double decibels(double signal, double noise) {
  if (noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / noise);
}

}  // namespace kobolt
