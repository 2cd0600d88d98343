// Arbitrary bytes as the file of kobolt calibrate: an Error, or layers that can be divided by.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kobolt/error.h"
#include "quantize/calibration_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const kobolt::Calibration calibration = kobolt::calibration_from_json(text, "fuzz");
    for (const kobolt::LayerCalibration& layer : calibration.layers) {
      if (!std::isnormal(layer.scale())) std::abort();
    }
  } catch (const kobolt::Error&) {
  }
  return 0;
}
