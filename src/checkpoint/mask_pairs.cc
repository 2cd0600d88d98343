#include "checkpoint/mask_pairs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "kobolt/error.h"

namespace kobolt {
namespace {

constexpr std::string_view kOriginal = "_orig";
constexpr std::string_view kMask = "_mask";

std::string without(std::string_view name, std::string_view suffix) {
  return std::string(name.substr(0, name.size() - suffix.size()));
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

bool is_byte(DType dtype) {
  return dtype == DType::boolean || dtype == DType::u8 || dtype == DType::i8;
}

bool is_float(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f64;
}

class MaskReader {
 public:
  MaskReader(const std::string& file, const std::string& name, const Tensor& tensor)
      : file_(file), name_(name), tensor_(tensor) {}

  [[nodiscard]] Mask read() const {
    Mask mask(tensor_.shape);
    if (is_byte(tensor_.dtype)) {
      for (std::size_t i = 0; i < mask.size(); ++i) {
        set(mask, i, std::to_integer<int>(tensor_.bytes[i]));
      }
    } else if (is_float(tensor_.dtype)) {
      const std::vector<float> values = tensor_.to_f32();
      for (std::size_t i = 0; i < mask.size(); ++i) set(mask, i, values[i]);
    } else {
      fail("a mask of this number format cannot be read", std::string(name_of(tensor_.dtype)),
           "BOOL, U8, I8 or floats");
    }
    return mask;
  }

 private:
  template <typename Value>
  void set(Mask& mask, std::size_t i, Value value) const {
    if (value == Value{0}) {
      mask.prune(i);
    } else if (value != Value{1}) {
      fail("a mask may hold only 0 and 1", fmt::format("{} at element {}", value, i), "0 or 1");
    }
  }

  [[noreturn]] void fail(const char* message, std::string found, std::string expected) const {
    throw Error(ErrorKind::corrupt, message,
                {.file = file_,
                 .field = name_,
                 .found = std::move(found),
                 .expected = std::move(expected)});
  }

  const std::string& file_;
  const std::string& name_;
  const Tensor& tensor_;
};

}  // namespace

std::map<std::string, Mask> take_masks(StoredWeights& stored) {
  std::map<std::string, Mask> masks;
  std::map<std::string, Tensor> tensors;
  const auto half = [&](const std::string& name, std::string missing) {
    throw Error(
        ErrorKind::corrupt, "half of a pruned tensor is missing",
        {.file = stored.file, .field = name, .expected = std::move(missing) + " beside it"});
  };
  for (const auto& [name, tensor] : stored.tensors) {
    if (name.ends_with(kMask)) {
      const std::string base = without(name, kMask);
      const auto original = stored.tensors.find(base + std::string(kOriginal));
      if (original == stored.tensors.end()) half(name, base + std::string(kOriginal));
      if (original->second.shape != tensor.shape) {
        throw Error(ErrorKind::corrupt, "a mask has another shape than its tensor",
                    {.file = stored.file,
                     .field = name,
                     .found = shape_text(tensor.shape),
                     .expected = shape_text(original->second.shape)});
      }
      masks.emplace(base, MaskReader(stored.file, name, tensor).read());
    } else if (name.ends_with(kOriginal)) {
      const std::string base = without(name, kOriginal);
      if (!stored.tensors.contains(base + std::string(kMask))) {
        half(name, base + std::string(kMask));
      }
      tensors.emplace(base, tensor);
    } else {
      tensors.emplace(name, tensor);
    }
  }
  if (!masks.empty()) stored.tensors = std::move(tensors);
  return masks;
}

Tensor mask_tensor(const Mask& mask) {
  auto bytes = std::make_shared<std::vector<std::byte>>(mask.size());
  for (std::size_t i = 0; i < mask.size(); ++i) (*bytes)[i] = std::byte{mask.kept(i)};
  Tensor tensor;
  tensor.dtype = DType::boolean;
  tensor.shape = mask.shape();
  tensor.bytes = *bytes;
  tensor.owner = std::move(bytes);
  return tensor;
}

}  // namespace kobolt
