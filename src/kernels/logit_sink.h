#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "kernels/kernels.h"
#include "kernels/top_k.h"

namespace kobolt::kernels {

/// Sums are of powers of two: e^x = 2^(kLog2E x).
inline constexpr float kLog2E = 1.44269504F;
/// How far a logit, as a power of two, may be above the shift of its row before that is replaced:
/// 2^80 times 2^31 columns is still a float.
inline constexpr float kShiftRoom = 80.0F;
/// A row of nothing but -infinity so far. Finite, so that -infinity less a shift is a number.
inline constexpr float kNoShift = std::numeric_limits<float>::lowest();

/// Some columns of a row: their sum(e^logit) is sum * 2^shift.
struct LogitPart {
  float shift = kNoShift;
  float sum = 0.0F;
};

/// log(sum(e^logit)) of all parts of a row; -infinity if there is nothing else in them.
float log_sum_of_parts(std::span<const LogitPart> parts);

/// What a product leaves of each row instead of writing it to memory, where it makes the logits of
/// a vocabulary: sums of e^logit and the largest logits. Products of neighbouring panels may
/// follow each other, in ascending order.
///
/// Lane j has the columns j, j + kPanel, ...: sums[j] is their sum of 2^(kLog2E logit - shift). The
/// shift of a row comes from some logit of it, replaced by any that is too far above it, so no
/// second pass is needed. Like log_sum_exp, sums are unspecified for a row with a NaN or +infinity.
struct LogitSink {
  float* shifts = nullptr;   ///< [m]
  float* sums = nullptr;     ///< [m][kPanel]
  float* bounds = nullptr;   ///< [m]: a logit below needs nothing but to be added
  TopKHeap* best = nullptr;  ///< [m], each with at least one place
  std::int32_t first = 0;    ///< what column 0 counts as for `best`

  /// Before the first product of m rows: `first_logits` is one logit of each row, or -infinity,
  /// whose shift the first larger one replaces. `best` is left as it is.
  void start(int m, const float* first_logits) const {
    for (std::ptrdiff_t row = 0; row < m; ++row) {
      shifts[row] = shift_of(first_logits[row]);
      set_bound(row);
    }
    std::fill_n(sums, static_cast<std::ptrdiff_t>(m) * kPanel, 0.0F);
  }

  /// The shift that makes 1 of e^logit.
  [[nodiscard]] static float shift_of(float logit) { return std::max(kNoShift, kLog2E * logit); }

  /// What a logit has to exceed to be among the best of its row.
  [[nodiscard]] float threshold(std::ptrdiff_t row) const {
    return best[row].full() ? best[row].threshold() : -std::numeric_limits<float>::infinity();
  }
  /// What a logit has to exceed to be too far above the shift of its row.
  [[nodiscard]] float far_above(std::ptrdiff_t row) const {
    return (shifts[row] + kShiftRoom) / kLog2E;
  }
  void set_bound(std::ptrdiff_t row) const {
    bounds[row] = std::min(threshold(row), far_above(row));
  }

  /// What the products so far have left of a row.
  [[nodiscard]] LogitPart part(std::ptrdiff_t row) const;
};

}  // namespace kobolt::kernels
