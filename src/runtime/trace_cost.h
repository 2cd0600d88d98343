#pragma once

#include "kobolt/kv_cache.h"
#include "kobolt/trace.h"
#include "runtime/weights.h"

namespace kobolt {

inline Cost& operator+=(Cost& sum, const Cost& part) {
  sum.operations += part.operations;
  sum.bytes += part.bytes;
  return sum;
}

inline Arithmetic arithmetic_of(RowFormat format) {
  switch (format) {
    case RowFormat::floats:
      return Arithmetic::fp32;
    case RowFormat::bf16:
      return Arithmetic::bf16;
    case RowFormat::int16:
      return Arithmetic::pairs;
    case RowFormat::bytes:
      break;
  }
  return Arithmetic::bytes;
}

/// Of m rows times a matrix: each weight is read once, and only those that are stored.
inline Cost product_cost(int m, const Linear& linear) {
  const double n = linear.n();
  const double k = linear.k();
  return {.operations = 2.0 * m * n * k,
          .arithmetic = arithmetic_of(linear.row_format()),
          .bytes = static_cast<double>(linear.panel_bytes()) * kernels::panels(linear.n()) +
                   m * (n + k) * sizeof(float)};
}

/// Of `operations` for each element of [m, d], which is read and written.
inline Cost rows_cost(int m, int d, int operations) {
  const double elements = static_cast<double>(m) * d;
  return {.operations = operations * elements, .bytes = 2 * sizeof(float) * elements};
}

/// Of `rows` queries over `length` keys and values of `width`, of which `sets` different ones are
/// read from the cache.
inline Cost attention_cost(int rows, int sets, int length, int width, KvCache format) {
  const double elements = static_cast<double>(length) * width;
  const int bytes = format == KvCache::fp32 ? 4 : format == KvCache::fp16 ? 2 : 1;
  return {.operations = 4 * rows * elements, .bytes = 2.0 * bytes * sets * elements};
}

}  // namespace kobolt
