#pragma once

#include <cstdint>
#include <span>

#include "kobolt/prune.h"
#include "prune/selection.h"

namespace kobolt {

/// Of every m inputs of a row, prunes those of smallest absolute value until n are left; of equal
/// ones the lowest index first, and what is pruned already counts. Throws Error(invalid_argument)
/// for a matrix whose inputs are no multiple of m, before anything is pruned.
void prune_n_of_m(std::span<const Candidates> pieces, int n, int m, int threads);

/// Matrices seen as grids of blocks, kPruningBlock outputs by one input; the last outputs of a
/// matrix may make a lower block. A block is there as long as any weight of it is.
class BlockGrids {
 public:
  /// Measures every block: the norm of its unpruned weights, added up in double precision, as a
  /// float. `pieces` outlive the grids.
  BlockGrids(std::span<const Candidates> pieces, PruningNorm norm, int threads);

  /// Blocks of each piece that are left.
  [[nodiscard]] std::int64_t count(std::size_t piece) const;
  [[nodiscard]] std::int64_t count() const;
  /// Prunes the `count` blocks of smallest norm of one piece, or of all together. Of equal ones
  /// those of earlier pieces first, then of earlier outputs, then of earlier inputs.
  void prune_smallest(std::size_t piece, std::int64_t count);
  void prune_smallest(std::int64_t count);

 private:
  void prune_smallest(std::size_t first, std::size_t pieces, std::int64_t count);
  void apply(std::size_t piece);

  std::span<const Candidates> pieces_;
  int threads_;
  std::vector<Tensor> norms_;  ///< of each piece [blocks along its outputs, inputs]
  std::vector<Mask> left_;
};

}  // namespace kobolt
