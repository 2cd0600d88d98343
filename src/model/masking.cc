#include "model/masking.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace kobolt {

Tensor masked(const Tensor& tensor, const Mask& mask) {
  assert(tensor.shape == mask.shape());
  auto bytes = std::make_shared<std::vector<std::byte>>(tensor.bytes.begin(), tensor.bytes.end());
  const std::size_t width = size_of(tensor.dtype);
  const auto words = mask.words();
  for (std::size_t w = 0; w < words.size(); ++w) {
    if (words[w] == ~std::uint64_t{0}) continue;
    const std::size_t first = w * Mask::kWordBits;
    const std::size_t last = std::min(first + Mask::kWordBits, mask.size());
    for (std::size_t i = first; i < last; ++i) {
      if (!mask.kept(i)) std::memset(bytes->data() + i * width, 0, width);
    }
  }
  Tensor result;
  result.dtype = tensor.dtype;
  result.shape = tensor.shape;
  result.bytes = *bytes;
  result.owner = std::move(bytes);
  return result;
}

}  // namespace kobolt
