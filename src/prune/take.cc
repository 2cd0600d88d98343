#include "prune/take.h"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace kobolt {

Tensor take_channels(const Tensor& tensor, int dim, std::span<const std::int64_t> kept) {
  const auto rows = static_cast<std::size_t>(tensor.shape[0]);
  const std::size_t columns =
      tensor.shape.size() > 1 ? static_cast<std::size_t>(tensor.shape[1]) : 1;
  const std::size_t width = size_of(tensor.dtype);
  auto bytes = std::make_shared<std::vector<std::byte>>();
  const auto append = [&](std::size_t element, std::size_t count) {
    const auto from = tensor.bytes.subspan(element * width, count * width);
    bytes->insert(bytes->end(), from.begin(), from.end());
  };
  Tensor result;
  result.dtype = tensor.dtype;
  result.shape = tensor.shape;
  result.shape[static_cast<std::size_t>(dim)] = static_cast<std::int64_t>(kept.size());
  bytes->reserve(static_cast<std::size_t>(result.elements()) * width);
  if (dim == 0) {
    for (const std::int64_t row : kept) append(static_cast<std::size_t>(row) * columns, columns);
  } else {
    for (std::size_t row = 0; row < rows; ++row) {
      for (const std::int64_t c : kept) append(row * columns + static_cast<std::size_t>(c), 1);
    }
  }
  result.bytes = *bytes;
  result.owner = std::move(bytes);
  return result;
}

Mask take_channels(const Mask& mask, int dim, std::span<const std::int64_t> kept) {
  const auto columns = static_cast<std::size_t>(mask.shape()[1]);
  std::vector<std::int64_t> shape = mask.shape();
  shape[static_cast<std::size_t>(dim)] = static_cast<std::int64_t>(kept.size());
  Mask result(shape);
  const auto new_columns = static_cast<std::size_t>(shape[1]);
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::size_t row = i / new_columns;
    std::size_t column = i % new_columns;
    std::size_t& moved = dim == 0 ? row : column;
    moved = static_cast<std::size_t>(kept[moved]);
    if (!mask.kept(row * columns + column)) result.prune(i);
  }
  return result;
}

}  // namespace kobolt
