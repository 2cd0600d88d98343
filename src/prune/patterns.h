#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kobolt/prune.h"
#include "prune/selection.h"

namespace kobolt {

/// Of every m inputs of a row, prunes those of smallest score until n are left; of equal ones the
/// lowest index first, and what is pruned already counts. Throws Error(invalid_argument) for a
/// matrix whose inputs are no multiple of m, before anything is pruned.
void prune_n_of_m(std::span<const Candidates> pieces, int n, int m, int threads);

/// In each row of each piece, prunes the share_of(amount, n) of its n candidates that have the
/// smallest scores, of equal ones the lowest index first.
void prune_rows(std::span<const Candidates> pieces, double amount, int threads);

/// Matrices seen as grids of blocks, kPruningBlock outputs by one input; the last outputs of a
/// matrix may make a lower block. A block is there as long as any weight of it is.
class BlockGrids {
 public:
  /// Measures every block: the norm of the scores of its unpruned weights, added up in double
  /// precision, as a float. `pieces` outlive the grids.
  BlockGrids(std::span<const Candidates> pieces, PruningNorm norm, int threads);
  BlockGrids(const BlockGrids&) = delete;
  BlockGrids& operator=(const BlockGrids&) = delete;
  ~BlockGrids() = default;

  /// Of each piece its blocks [along outputs, inputs] as candidates with their norms for weights.
  [[nodiscard]] std::span<const Candidates> blocks() const { return blocks_; }
  /// Prunes in the pieces what is pruned of the blocks.
  void apply() const;

 private:
  void measure(std::size_t piece, std::size_t begin, std::size_t end, PruningNorm norm);

  std::span<const Candidates> pieces_;
  int threads_;
  std::vector<std::vector<float>> values_;
  std::vector<Tensor> norms_;
  std::vector<Mask> left_;
  std::vector<Candidates> blocks_;
};

}  // namespace kobolt
