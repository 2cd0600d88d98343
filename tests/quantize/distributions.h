#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kobolt {

/// The numbers of tests/golden/make_calibration.py, by the same exact operations.
inline std::vector<float> distribution(const std::string& name) {
  const std::size_t count = name == "constant" ? 100 : name == "few" ? 5 : 20000;
  std::vector<float> values;
  for (std::uint64_t i = 1; i <= count; ++i) {
    const double u =
        static_cast<double>(i * 2654435761U % (std::uint64_t{1} << 32U)) / 4294967296.0;
    const double s = 2 * u - 1;
    double x = s;
    if (name == "uniform") x = s * 3;
    if (name == "heavy tail") x = s / (1.0078125 - std::abs(s));
    if (name == "cubic") x = s * s * s * 0.001;
    if (name == "one side") x = s > 0 ? s / (1.0625 - s) : 0.0;
    if (name == "outliers" && i == 18) x = -250.0;
    if (name == "outliers" && i == 4712) x = 93.0;
    if (name == "constant") x = -0.75;
    if (name == "few") x = u;
    if (name == "steps") x = std::nearbyint(s * 4) / 4;
    if (name == "tiny") x = std::ldexp(s, -110);
    values.push_back(static_cast<float>(x));
  }
  return values;
}

}  // namespace kobolt
