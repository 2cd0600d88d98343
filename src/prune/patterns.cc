#include "prune/patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kobolt/error.h"
#include "prune/channels.h"
#include "prune/keys.h"
#include "prune/parallel.h"
#include "prune/work.h"

namespace kobolt {
namespace {

/// Rows of one piece. Whole words of its mask: 64 rows have a multiple of 64 weights.
struct RowRange {
  const Candidates* piece;
  std::size_t begin;
  std::size_t end;
};

constexpr std::size_t kTaskRows = Mask::kWordBits;
static_assert(kTaskRows % kPruningBlock == 0);

std::size_t rows_of(const Candidates& piece) {
  return static_cast<std::size_t>(piece.weights->shape[0]);
}

std::size_t columns_of(const Candidates& piece) {
  return static_cast<std::size_t>(piece.weights->shape[1]);
}

std::vector<RowRange> row_ranges(std::span<const Candidates> pieces) {
  std::vector<RowRange> ranges;
  for (const Candidates& piece : pieces) {
    for (std::size_t row = 0; row < rows_of(piece); row += kTaskRows) {
      ranges.push_back({&piece, row, std::min(row + kTaskRows, rows_of(piece))});
    }
  }
  return ranges;
}

// A group's entries as numbers that sort as they are to go: pruned ones first, then by absolute
// value, then by index.
void prune_group(const Candidates& piece, std::size_t begin, std::size_t size, std::size_t count) {
  KeyBlock keys{};
  load_scores(piece, begin, size, keys);
  std::array<std::uint64_t, kBlock> order{};
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t rank = piece.mask->kept(begin + i) ? std::uint64_t{keys[i]} + 1 : 0;
    order[i] = rank * kBlock + i;
  }
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(order.begin(), middle, order.begin() + static_cast<std::ptrdiff_t>(size));
  std::for_each(order.begin(), middle,
                [&](std::uint64_t entry) { piece.mask->prune(begin + entry % kBlock); });
}

void prune_row(const Candidates& piece, std::size_t row, double amount,
               std::vector<std::uint64_t>& order) {
  const std::size_t columns = columns_of(piece);
  KeyBlock keys{};
  order.clear();
  for (std::size_t at = 0; at < columns; at += kBlock) {
    const std::size_t size = std::min(kBlock, columns - at);
    load_scores(piece, row * columns + at, size, keys);
    for (std::size_t i = 0; i < size; ++i) {
      if (!piece.mask->kept(row * columns + at + i)) continue;
      order.push_back(std::uint64_t{keys[i]} << 32U | (at + i));
    }
  }
  const std::int64_t count = share_of(amount, static_cast<std::int64_t>(order.size()));
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(order.begin(), middle, order.end());
  std::for_each(order.begin(), middle, [&](std::uint64_t entry) {
    piece.mask->prune(row * columns + (entry & 0xFFFFFFFFU));
  });
}

float norm_of(const NormSum& sum, PruningNorm norm) {
  return static_cast<float>(norm == PruningNorm::l2 ? std::sqrt(sum.rank()) : sum.rank());
}

// Adds the unpruned weights of a row to the sums of its blocks, and counts them.
void add_row(const Candidates& piece, std::size_t row, std::vector<NormSum>& sums,
             std::vector<int>& counts) {
  const std::size_t columns = columns_of(piece);
  KeyBlock keys{};
  for (std::size_t at = 0; at < columns; at += kBlock) {
    const std::size_t size = std::min(kBlock, columns - at);
    load_scores(piece, row * columns + at, size, keys);
    for (std::size_t i = 0; i < size; ++i) {
      if (!piece.mask->kept(row * columns + at + i)) continue;
      sums[at + i].add(magnitude_of(keys[i]));
      ++counts[at + i];
    }
  }
}

}  // namespace

void prune_n_of_m(std::span<const Candidates> pieces, int n, int m, int threads) {
  const auto group = static_cast<std::size_t>(m);
  for (const Candidates& piece : pieces) {
    if (columns_of(piece) % group == 0) continue;
    throw Error(ErrorKind::invalid_argument, "the inputs of a matrix do not divide into groups",
                {.field = std::string(piece.name),
                 .found = fmt::format("{} inputs", columns_of(piece)),
                 .expected = fmt::format("a multiple of {}", m),
                 .hint = "another pattern, or leave this matrix out (--layers)"});
  }
  const std::vector<RowRange> ranges = row_ranges(pieces);
  parallel_for(worker_count(threads, ranges.size()), ranges.size(), [&](std::size_t task, int) {
    const RowRange& range = ranges[task];
    const std::size_t columns = columns_of(*range.piece);
    for (std::size_t at = range.begin * columns; at < range.end * columns; at += group) {
      prune_group(*range.piece, at, group, static_cast<std::size_t>(m - n));
    }
  });
}

void prune_rows(std::span<const Candidates> pieces, double amount, int threads) {
  const std::vector<RowRange> ranges = row_ranges(pieces);
  const int workers = worker_count(threads, ranges.size());
  std::vector<std::vector<std::uint64_t>> orders(static_cast<std::size_t>(workers));
  parallel_for(workers, ranges.size(), [&](std::size_t task, int worker) {
    const RowRange& range = ranges[task];
    for (std::size_t row = range.begin; row < range.end; ++row) {
      prune_row(*range.piece, row, amount, orders[static_cast<std::size_t>(worker)]);
    }
  });
}

BlockGrids::BlockGrids(std::span<const Candidates> pieces, PruningNorm norm, int threads)
    : pieces_(pieces), threads_(threads) {
  // Tasks of 64 rows of blocks, so that two of them never share a word of a grid's mask.
  struct Task {
    std::size_t piece;
    std::size_t begin;
    std::size_t end;
  };
  std::vector<Task> tasks;
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    const std::size_t rows = (rows_of(pieces[p]) + kPruningBlock - 1) / kPruningBlock;
    values_.emplace_back(rows * columns_of(pieces[p]));
    left_.emplace_back(
        std::vector<std::int64_t>{static_cast<std::int64_t>(rows), pieces[p].weights->shape[1]});
    for (std::size_t at = 0; at < rows; at += kTaskRows) {
      tasks.push_back({p, at, std::min(at + kTaskRows, rows)});
    }
  }
  parallel_for(worker_count(threads, tasks.size()), tasks.size(), [&](std::size_t i, int) {
    measure(tasks[i].piece, tasks[i].begin, tasks[i].end, norm);
  });
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    norms_.push_back(Tensor::from_f32(left_[p].shape(), std::move(values_[p])));
  }
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    blocks_.push_back({pieces[p].name, &norms_[p], &left_[p], {}, {}});
  }
}

void BlockGrids::measure(std::size_t which, std::size_t begin, std::size_t end, PruningNorm norm) {
  const Candidates& piece = pieces_[which];
  const std::size_t columns = columns_of(piece);
  for (std::size_t block = begin; block < end; ++block) {
    std::vector<NormSum> sums(columns, NormSum(norm));
    std::vector<int> counts(columns);
    const std::size_t last = std::min((block + 1) * kPruningBlock, rows_of(piece));
    for (std::size_t row = block * kPruningBlock; row < last; ++row) {
      add_row(piece, row, sums, counts);
    }
    for (std::size_t i = 0; i < columns; ++i) {
      values_[which][block * columns + i] = norm_of(sums[i], norm);
      if (counts[i] == 0) left_[which].prune(block * columns + i);
    }
  }
}

void BlockGrids::apply() const {
  const std::vector<RowRange> ranges = row_ranges(pieces_);
  parallel_for(worker_count(threads_, ranges.size()), ranges.size(), [&](std::size_t task, int) {
    const RowRange& range = ranges[task];
    const Mask& left = left_[static_cast<std::size_t>(range.piece - pieces_.data())];
    const std::size_t columns = columns_of(*range.piece);
    for (std::size_t row = range.begin; row < range.end; ++row) {
      const std::size_t block = row / kPruningBlock * columns;
      for (std::size_t i = 0; i < columns; ++i) {
        if (!left.kept(block + i)) range.piece->mask->prune(row * columns + i);
      }
    }
  });
}

}  // namespace kobolt
