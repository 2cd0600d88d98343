#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kobolt/mask.h"
#include "kobolt/prune.h"
#include "prune/selection.h"

namespace kobolt {

/// Adds up absolute values into the norm of a row, a column or any other group of weights.
class NormSum {
 public:
  explicit NormSum(PruningNorm norm) : norm_(norm) {}
  void add(double magnitude) {
    switch (norm_) {
      case PruningNorm::l1:
        sum_ += magnitude;
        break;
      case PruningNorm::l2:
        sum_ += magnitude * magnitude;
        break;
      case PruningNorm::infinity:
        // Written so that not-a-number stays.
        sum_ = magnitude <= sum_ ? sum_ : magnitude;
        break;
    }
  }
  /// Ordered as the norm is: its square for l2.
  [[nodiscard]] double rank() const { return sum_; }

 private:
  PruningNorm norm_;
  double sum_ = 0;
};

/// The norm of each row (dim 0) or column (dim 1) of a matrix over its unpruned weights' scores, in
/// double precision, up to a monotonic function. Not-a-number where a weight is.
std::vector<double> channel_ranks(const Candidates& piece, int dim, PruningNorm norm);

/// Whether a row (dim 0) or column (dim 1) of a mask has anything left.
std::vector<bool> active_channels(const Mask& mask, int dim);

/// Prunes every element of a row (dim 0) or column (dim 1).
void prune_channel(Mask& mask, int dim, std::int64_t channel);

/// The `count` of `candidates` with the smallest rank, of equal ones those that come first. Linear.
std::vector<std::int64_t> smallest(std::span<const double> ranks,
                                   std::vector<std::int64_t> candidates, std::int64_t count);

}  // namespace kobolt
