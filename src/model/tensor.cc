#include "kobolt/tensor.h"

#include <bit>
#include <cstring>
#include <utility>

#include "base/float16.h"
#include "kobolt/error.h"

namespace kobolt {

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
      return 2;
    case DType::i8:
    case DType::u8:
    case DType::boolean:
      return 1;
  }
  return 0;
}

std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "F32";
    case DType::f16:
      return "F16";
    case DType::bf16:
      return "BF16";
    case DType::i64:
      return "I64";
    case DType::i32:
      return "I32";
    case DType::i16:
      return "I16";
    case DType::i8:
      return "I8";
    case DType::u8:
      return "U8";
    case DType::boolean:
      return "BOOL";
    case DType::f64:
      return "F64";
  }
  return "?";
}

std::int64_t Tensor::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

std::vector<float> Tensor::to_f32() const {
  const auto count = static_cast<std::size_t>(elements());
  std::vector<float> values(count);
  const std::byte* source = bytes.data();
  // memcpy a value at a time: tensors in a mapped file need not be aligned.
  const auto read = [source]<typename T>(std::size_t i, T) {
    T value;
    std::memcpy(&value, source + i * sizeof(T), sizeof(T));
    return value;
  };
  switch (dtype) {
    case DType::f32:
      if (count > 0) std::memcpy(values.data(), source, count * sizeof(float));
      break;
    case DType::f16:
      for (std::size_t i = 0; i < count; ++i) values[i] = f32_from_f16(read(i, std::uint16_t{}));
      break;
    case DType::bf16:
      for (std::size_t i = 0; i < count; ++i) values[i] = f32_from_bf16(read(i, std::uint16_t{}));
      break;
    case DType::f64:
      for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(read(i, double{}));
      break;
    default:
      throw Error(ErrorKind::unsupported, "not a floating-point tensor",
                  {.found = std::string(name_of(dtype)), .expected = "F32, F16, BF16 or F64"});
  }
  return values;
}

Tensor Tensor::from_f32(std::vector<std::int64_t> shape, std::vector<float> values) {
  auto owned = std::make_shared<std::vector<float>>(std::move(values));
  Tensor tensor;
  tensor.shape = std::move(shape);
  tensor.bytes = std::as_bytes(std::span<const float>(*owned));
  tensor.owner = std::move(owned);
  return tensor;
}

}  // namespace kobolt
