#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "kernels/kernel_table.h"

namespace kobolt::kernels {

/// Where the parts of the scratch buffer of head_attention_i16 and head_attention_i8 begin, counted
/// in floats. Rounded values are in units of 32 bits, which have the size of one: `in_unit` values,
/// 2 of 16 bits or 4 of 8. Each part begins a cache line of the buffer. Rows of units are written
/// by whole vectors, up to kPanel floats beyond the last.
class HeadScratch {
 public:
  HeadScratch(int length, int head_dim, int in_unit) {
    const auto units = [in_unit](int count) { return (count + in_unit - 1) / in_unit; };
    const std::ptrdiff_t block = std::min(length, kAttentionRows);
    key_rows = take(std::ptrdiff_t{padded(length)} * units(head_dim) + kPanel);
    keys = take(std::ptrdiff_t{padded(length)} * units(head_dim));
    key_scales = take(padded(length));
    key_starts = take(padded(length));
    values = take(std::ptrdiff_t{padded(head_dim)} * units(length));
    value_scales = take(padded(head_dim));
    ld_scores = padded(length) + kPanel;
    scores = take(block * ld_scores);
    rounded = take(block * std::max(units(length), units(head_dim)) + kPanel);
    row_scales = take(padded(kAttentionRows));
  }

  std::ptrdiff_t key_rows;      // [padded(length)][units(head_dim)], on their way into panels
  std::ptrdiff_t keys;          // in panels
  std::ptrdiff_t key_scales;    // [padded(length)]
  std::ptrdiff_t key_starts;    // [padded(length)], integers; only of bytes
  std::ptrdiff_t values;        // in panels
  std::ptrdiff_t value_scales;  // [padded(head_dim)]
  std::ptrdiff_t ld_scores;     // a row can be read kPanel floats beyond its end
  std::ptrdiff_t scores;        // [block][ld_scores]
  std::ptrdiff_t rounded;       // queries, then weights [block][units(length)]
  std::ptrdiff_t row_scales;    // [padded(kAttentionRows)]
  std::ptrdiff_t size = 0;

 private:
  std::ptrdiff_t take(std::ptrdiff_t floats) {
    constexpr std::ptrdiff_t kLine = 16;
    return std::exchange(size, size + (floats + kLine - 1) / kLine * kLine);
  }
};

}  // namespace kobolt::kernels
