#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kobolt/mask.h"
#include "kobolt/tensor.h"
#include "prune/keys.h"

namespace kobolt {

/// A tensor to select from and its mask, of the same shape: what is pruned already is no candidate.
struct Candidates {
  std::string_view name;  ///< for messages
  const Tensor* weights = nullptr;
  Mask* mask = nullptr;
  /// A factor of each column's weights, >= 0; empty: all 1.
  std::span<const float> column_scales;
  /// A factor of each weight, whose sign does not matter; empty: all 1.
  std::span<const float> element_scales;
};

/// The keys of a piece's scores, |weight| times its scales in float, of elements [begin,
/// begin + count), count <= kBlock.
void load_scores(const Candidates& piece, std::size_t begin, std::size_t count, KeyBlock& keys);

/// Unpruned elements of all pieces.
std::int64_t count_candidates(std::span<const Candidates> pieces);

/// Prunes the `count` candidates of smallest score over all pieces; of equal ones those of
/// earlier pieces and lower index first. Exact, in three passes over the weights (two histograms of
/// their bits, one to write masks), without a copy. Throws Error(corrupt) for a weight that is not
/// a number, before anything is pruned.
void prune_smallest(std::span<const Candidates> pieces, std::int64_t count, int threads);

}  // namespace kobolt
