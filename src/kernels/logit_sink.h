#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/kernels.h"
#include "kernels/top_k.h"

namespace kobolt::kernels {

/// How far a logit may be above its lane's shift before that is replaced: e^60 times 2^31 columns
/// is still a float.
inline constexpr float kLogitRoom = 60.0F;

/// What a product leaves of each row instead of writing it to memory, where it makes the logits of
/// a vocabulary: sums of e^logit and the largest logits. Products of neighbouring panels may
/// follow each other, in ascending order.
///
/// Lane j has the columns j, j + kPanel, ...: sums[j] is their sum of e^(logit - shifts[j]). A
/// shift is some logit of the row, replaced by any that is too far above it, so no second pass is
/// needed; log_sum_of_parts makes log(sum(e^logit)) of all lanes. Like log_sum_exp, it is
/// unspecified for a row with a NaN or +infinity.
struct LogitSink {
  float* shifts = nullptr;   ///< [m][kPanel]
  float* sums = nullptr;     ///< [m][kPanel]
  float* bounds = nullptr;   ///< [m][kPanel]: a logit below needs nothing but to be added
  TopKHeap* best = nullptr;  ///< [m], each with at least one place
  std::int32_t first = 0;    ///< what column 0 counts as for `best`

  /// Before the first product of m rows: `first_shifts` is one logit of each row, or -infinity,
  /// which is replaced by the first larger one. `best` is left as it is.
  void start(int m, const float* first_shifts) const {
    for (std::ptrdiff_t row = 0; row < m; ++row) {
      std::fill_n(shifts + row * kPanel, kPanel, first_shifts[row]);
      std::fill_n(bounds + row * kPanel, kPanel, bound(row, first_shifts[row]));
    }
    std::fill_n(sums, static_cast<std::ptrdiff_t>(m) * kPanel, 0.0F);
  }

  /// What a logit has to exceed to be among the best of its row.
  [[nodiscard]] float threshold(std::ptrdiff_t row) const {
    return best[row].full() ? best[row].threshold() : -std::numeric_limits<float>::infinity();
  }
  [[nodiscard]] float bound(std::ptrdiff_t row, float shift) const {
    return std::min(threshold(row), shift + kLogitRoom);
  }
};

}  // namespace kobolt::kernels
