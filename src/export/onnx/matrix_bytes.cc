#include "export/onnx/matrix_bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <span>

#include "kernels/block4.h"
#include "kernels/kernels.h"
#include "kobolt/error.h"
#include "model/convert.h"

namespace kobolt::onnx {
namespace {

static_assert(kInt4Block == kernels::kGroup4);

struct Shape {
  std::size_t rows;
  std::size_t columns;
};

Shape shape_of(const Tensor& matrix) {
  assert(matrix.shape.size() == 2);
  return {.rows = static_cast<std::size_t>(matrix.shape[0]),
          .columns = static_cast<std::size_t>(matrix.shape[1])};
}

/// [rows, columns] of elements of `size` bytes to [columns, rows].
Bytes transposed(std::span<const std::byte> from, Shape shape, std::size_t size) {
  Bytes to(from.size());
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t column = 0; column < shape.columns; ++column) {
      std::memcpy(to.data() + (column * shape.rows + row) * size,
                  from.data() + (row * shape.columns + column) * size, size);
    }
  }
  return to;
}

/// No scale describes what is not a number, or infinite.
std::vector<float> finite_values(const Tensor& matrix, const std::string& name) {
  std::vector<float> values = matrix.to_f32();
  const auto bad = std::ranges::find_if_not(values, [](float x) { return std::isfinite(x); });
  if (bad != values.end()) {
    throw Error(ErrorKind::unsupported, "a weight that is not finite cannot become an integer",
                {.field = name,
                 .found = fmt::format("{}", *bad),
                 .hint = "the checkpoint looks damaged; --precision fp32 exports it as it is"});
  }
  return values;
}

/// Rounds a row to 127 steps of its largest magnitude. Returns the step, 1 for a row of zeros.
float round_row(std::span<const float> row, std::byte* to) {
  float largest = 0;
  for (const float value : row) largest = std::max(largest, std::abs(value));
  const float scale = largest > 0 ? largest / 127.0F : 1.0F;
  for (const float value : row) {
    const float steps = std::clamp(std::nearbyint(value / scale), -127.0F, 127.0F);
    *to++ = static_cast<std::byte>(static_cast<std::int8_t>(steps));
  }
  return scale;
}

}  // namespace

Bytes float_bytes(const Tensor& matrix, DType dtype, Order order, const std::string& name) {
  const Tensor converted = convert(matrix, dtype, name);
  if (order == Order::columns) {
    return transposed(converted.bytes, shape_of(matrix), size_of(dtype));
  }
  return bytes_of(converted.bytes);
}

Int8Bytes int8_bytes(const Tensor& matrix, Order order, const std::string& name) {
  const Shape shape = shape_of(matrix);
  const std::vector<float> values = finite_values(matrix, name);
  std::vector<float> scales(shape.rows);
  Bytes numbers(values.size());
  for (std::size_t row = 0; row < shape.rows; ++row) {
    const std::size_t begin = row * shape.columns;
    scales[row] =
        round_row(std::span(values).subspan(begin, shape.columns), numbers.data() + begin);
  }
  if (order == Order::columns) numbers = transposed(numbers, shape, 1);
  return {.numbers = std::move(numbers), .scales = bytes_of(std::span<const float>(scales))};
}

Int4Bytes int4_bytes(const Tensor& matrix, const std::string& name) {
  const Shape shape = shape_of(matrix);
  const std::vector<float> values = finite_values(matrix, name);
  const auto out = static_cast<int>(shape.rows);
  const auto in = static_cast<int>(shape.columns);
  std::vector<std::uint8_t> packed(kernels::packed_i4_size(out, in));
  kernels::pack_i4(values.data(), in, out, in, packed.data());

  const int groups = kernels::groups(in);
  std::vector<float> scales(static_cast<std::size_t>(groups) * shape.rows);
  Bytes numbers((values.size() + 1) / 2);
  for (int j = 0; j < out; ++j) {
    const int column = j % kernels::kPanel;
    for (int g = 0; g < groups; ++g) {
      const std::uint8_t* block =
          packed.data() +
          (static_cast<std::ptrdiff_t>(j / kernels::kPanel) * groups + g) * kernels::kBlock4;
      scales[static_cast<std::size_t>(g) * shape.rows + static_cast<std::size_t>(j)] =
          kernels::block_scale(block, column);
      const int size = std::min(kInt4Block, in - g * kInt4Block);
      for (int l = 0; l < size; ++l) {
        const auto at =
            static_cast<std::size_t>(g * kInt4Block + l) * shape.rows + static_cast<std::size_t>(j);
        const int nibble = kernels::block_weight(block, column, l) & 0xF;
        numbers[at / 2] |= static_cast<std::byte>(at % 2 == 0 ? nibble : nibble << 4);
      }
    }
  }
  return {.numbers = std::move(numbers), .scales = bytes_of(std::span<const float>(scales))};
}

}  // namespace kobolt::onnx
