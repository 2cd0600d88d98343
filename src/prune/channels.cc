#include "prune/channels.h"

#include <algorithm>

#include "prune/keys.h"

namespace kobolt {

std::vector<double> channel_ranks(const Candidates& piece, int dim, PruningNorm norm) {
  const Tensor& matrix = *piece.weights;
  const auto rows = static_cast<std::size_t>(matrix.shape[0]);
  const auto columns = static_cast<std::size_t>(matrix.shape[1]);
  std::vector<NormSum> sums(dim == 0 ? rows : columns, NormSum(norm));
  KeyBlock keys{};
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t first = 0; first < columns; first += kBlock) {
      const std::size_t count = std::min(kBlock, columns - first);
      const std::size_t at = row * columns + first;
      load_scores(piece, at, count, keys);
      for (std::size_t i = 0; i < count; ++i) {
        if (piece.mask->kept(at + i)) sums[dim == 0 ? row : first + i].add(magnitude_of(keys[i]));
      }
    }
  }
  std::vector<double> ranks(sums.size());
  std::ranges::transform(sums, ranks.begin(), &NormSum::rank);
  return ranks;
}

std::vector<bool> active_channels(const Mask& mask, int dim) {
  const auto rows = static_cast<std::size_t>(mask.shape()[0]);
  const auto columns = static_cast<std::size_t>(mask.shape()[1]);
  std::vector<bool> active(dim == 0 ? rows : columns, false);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      if (mask.kept(row * columns + column)) active[dim == 0 ? row : column] = true;
    }
  }
  return active;
}

void prune_channel(Mask& mask, int dim, std::int64_t channel) {
  const auto rows = static_cast<std::size_t>(mask.shape()[0]);
  const auto columns = static_cast<std::size_t>(mask.shape()[1]);
  const auto index = static_cast<std::size_t>(channel);
  if (dim == 0) {
    for (std::size_t column = 0; column < columns; ++column) mask.prune(index * columns + column);
  } else {
    for (std::size_t row = 0; row < rows; ++row) mask.prune(row * columns + index);
  }
}

std::vector<std::int64_t> smallest(std::span<const double> ranks,
                                   std::vector<std::int64_t> candidates, std::int64_t count) {
  const auto rank = [&](std::int64_t i) { return ranks[static_cast<std::size_t>(i)]; };
  const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(count);
  if (end != candidates.end()) {
    std::nth_element(candidates.begin(), end, candidates.end(), [&](auto a, auto b) {
      return rank(a) < rank(b) || (rank(a) == rank(b) && a < b);
    });
  }
  candidates.erase(end, candidates.end());
  std::ranges::sort(candidates);
  return candidates;
}

}  // namespace kobolt
