#include "model/positions.h"

#include <cmath>
#include <cstddef>

namespace kobolt {

std::vector<float> sinusoidal_positions(int positions, int d) {
  const auto width = static_cast<std::size_t>(d);
  const std::size_t sines = (width + 1) / 2;
  std::vector<float> table(static_cast<std::size_t>(positions) * width);
  for (std::size_t i = 0; i < sines; ++i) {
    const double wavelength = std::pow(10000.0, 2.0 * static_cast<double>(i) / d);
    for (std::size_t p = 0; p < static_cast<std::size_t>(positions); ++p) {
      const double angle = static_cast<double>(p) / wavelength;
      table[p * width + i] = static_cast<float>(std::sin(angle));
      if (sines + i < width) table[p * width + sines + i] = static_cast<float>(std::cos(angle));
    }
  }
  return table;
}

}  // namespace kobolt
