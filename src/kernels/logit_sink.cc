#include "kernels/logit_sink.h"

#include <cmath>

namespace kobolt::kernels {

LogitPart LogitSink::part(std::ptrdiff_t row) const {
  // In pairs, which needs no instruction set to be fast.
  float lanes[kPanel];
  std::copy_n(sums + row * kPanel, kPanel, lanes);
  for (int half = kPanel / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return {shifts[row], lanes[0]};
}

float log_sum_of_parts(std::span<const LogitPart> parts) {
  float largest = kNoShift;
  for (const LogitPart& part : parts) largest = std::max(largest, part.shift);
  if (largest == kNoShift) return -std::numeric_limits<float>::infinity();
  float sum = 0.0F;
  for (const LogitPart& part : parts) {  // whose shifts are nearly always the same
    sum += part.shift == largest ? part.sum : part.sum * std::exp2(part.shift - largest);
  }
  // By what logits were multiplied with, whose last digits would count twice otherwise.
  return static_cast<float>((static_cast<double>(largest) + std::log2(static_cast<double>(sum))) /
                            static_cast<double>(kLog2E));
}

}  // namespace kobolt::kernels
