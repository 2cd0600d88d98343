#include "model/convert.h"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/float16.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

Tensor to_half(const Tensor& tensor, DType dtype, const std::string& name) {
  const std::vector<float> values = tensor.to_f32();
  auto halves = std::make_shared<std::vector<std::uint16_t>>(values.size());
  const bool brain = dtype == DType::bf16;
  const std::uint16_t infinity = brain ? 0x7F80 : 0x7C00;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = brain ? bf16_from_f32(values[i]) : f16_from_f32(values[i]);
    if ((half & 0x7FFFU) == infinity && std::isfinite(values[i])) {
      throw Error(ErrorKind::unsupported, "a weight is too large for this number format",
                  {.field = name,
                   .found = std::to_string(values[i]),
                   .expected = std::string(name_of(dtype)),
                   .hint = "use BF16 or F32"});
    }
    (*halves)[i] = half;
  }
  Tensor converted;
  converted.dtype = dtype;
  converted.shape = tensor.shape;
  converted.bytes = std::as_bytes(std::span<const std::uint16_t>(*halves));
  converted.owner = std::move(halves);
  return converted;
}

}  // namespace

Tensor convert(const Tensor& tensor, DType dtype, const std::string& name) {
  if (tensor.dtype == dtype) return tensor;
  if (dtype == DType::f32) return Tensor::from_f32(tensor.shape, tensor.to_f32());
  return to_half(tensor, dtype, name);
}

}  // namespace kobolt
