// Arbitrary bytes as config.json and as generation_config.json: an Error, or a configuration whose
// list of tensors can be made.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "checkpoint/config.h"
#include "checkpoint/generation.h"
#include "kobolt/error.h"
#include "model/layout.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const kobolt::ModelConfig config = kobolt::parse_model_config(text, "fuzz");
    if (kobolt::expected_tensors(config).empty()) std::abort();
  } catch (const kobolt::Error&) {
  }
  try {
    static_cast<void>(kobolt::parse_generation_config(text, "fuzz"));
  } catch (const kobolt::Error&) {
  }
  try {
    static_cast<void>(kobolt::generation_from_model_config(text, "fuzz"));
  } catch (const kobolt::Error&) {
  }
  return 0;
}
