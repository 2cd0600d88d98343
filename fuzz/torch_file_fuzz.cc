// Arbitrary bytes as pytorch_model.bin, zip or older: an Error, or tensors of the right size.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "checkpoint/torch_file.h"
#include "kobolt/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    for (const auto& [name, tensor] : kobolt::read_torch_file({"fuzz", bytes, nullptr})) {
      const auto elements = static_cast<std::size_t>(tensor.elements());
      if (tensor.bytes.size() != elements * kobolt::size_of(tensor.dtype)) std::abort();
      if (tensor.dtype == kobolt::DType::f32) static_cast<void>(tensor.to_f32());
    }
  } catch (const kobolt::Error&) {
  }
  return 0;
}
