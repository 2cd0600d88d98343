#include "prune/patterns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kobolt/error.h"
#include "model/convert.h"
#include "prune/pruned_model.h"

namespace kobolt {
namespace {

using testing::HasSubstr;
using Bits = std::vector<bool>;

Bits bits_of(const Mask& mask) {
  Bits bits;
  for (std::size_t i = 0; i < mask.size(); ++i) bits.push_back(mask.kept(i));
  return bits;
}

/// A matrix of few different magnitudes, so that ties are everywhere, and a mask with holes.
struct Matrix {
  Matrix(std::int64_t rows, std::int64_t columns, DType dtype, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> weights(static_cast<std::size_t>(rows * columns));
    for (float& weight : weights) {
      weight = (static_cast<float>(random() % 7) + 1) * (random() % 2 == 0 ? 0.125F : -0.125F);
    }
    tensor = convert(Tensor::from_f32({rows, columns}, std::move(weights)), dtype, "");
    mask = Mask(tensor.shape);
    for (std::size_t i = 0; i < mask.size(); i += 5) mask.prune(i);
  }
  [[nodiscard]] Candidates candidates() { return {"some.weight", &tensor, &mask, {}}; }

  Tensor tensor;
  Mask mask;
};

// The rule, said again: of each group what is pruned comes first, then the small ones.
Bits expected_groups(const Matrix& matrix, std::size_t n, std::size_t m) {
  const std::vector<float> weights = matrix.tensor.to_f32();
  Bits kept = bits_of(matrix.mask);
  for (std::size_t begin = 0; begin < weights.size(); begin += m) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < m; ++i) order.push_back(begin + i);
    std::ranges::stable_sort(order, {},
                             [&](std::size_t i) { return kept[i] ? std::abs(weights[i]) : -1.0F; });
    for (std::size_t i = 0; i < m - n; ++i) kept[order[i]] = false;
  }
  return kept;
}

TEST(Patterns, OfEachGroupTheSmallestGo) {
  struct Case {
    int n, m;
    std::int64_t rows, columns;
  };
  for (const Case& c : {Case{2, 4, 131, 12}, Case{1, 4, 1, 4}, Case{4, 8, 65, 8}, Case{1, 3, 7, 9},
                        Case{1, 64, 3, 64}, Case{63, 64, 70, 128}}) {
    for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
      Matrix matrix(c.rows, c.columns, dtype, 3);
      const Bits expected =
          expected_groups(matrix, static_cast<std::size_t>(c.n), static_cast<std::size_t>(c.m));
      prune_n_of_m(std::vector{matrix.candidates()}, c.n, c.m, 2);
      EXPECT_EQ(bits_of(matrix.mask), expected) << c.n << ':' << c.m;
    }
  }
}

// The rule for blocks, by sorting all of them.
std::vector<Bits> expected_blocks(const std::vector<Matrix>& matrices, PruningNorm norm,
                                  std::size_t count) {
  struct Block {
    float rank;
    std::size_t matrix, first_row, column;
  };
  std::vector<Block> blocks;
  std::vector<Bits> kept;
  for (std::size_t which = 0; which < matrices.size(); ++which) {
    const std::vector<float> weights = matrices[which].tensor.to_f32();
    const auto rows = static_cast<std::size_t>(matrices[which].tensor.shape[0]);
    const auto columns = static_cast<std::size_t>(matrices[which].tensor.shape[1]);
    kept.push_back(bits_of(matrices[which].mask));
    for (std::size_t first = 0; first < rows; first += 16) {
      for (std::size_t column = 0; column < columns; ++column) {
        double sum = 0;
        bool any = false;
        for (std::size_t row = first; row < std::min(rows, first + 16); ++row) {
          if (!kept[which][row * columns + column]) continue;
          any = true;
          const double weight = std::abs(static_cast<double>(weights[row * columns + column]));
          sum = norm == PruningNorm::infinity
                    ? std::max(sum, weight)
                    : sum + (norm == PruningNorm::l2 ? weight * weight : weight);
        }
        const double rank = norm == PruningNorm::l2 ? std::sqrt(sum) : sum;
        if (any) blocks.push_back({static_cast<float>(rank), which, first, column});
      }
    }
  }
  std::ranges::stable_sort(blocks, {}, &Block::rank);
  for (std::size_t i = 0; i < count; ++i) {
    const Block& block = blocks[i];
    const auto rows = static_cast<std::size_t>(matrices[block.matrix].tensor.shape[0]);
    const auto columns = static_cast<std::size_t>(matrices[block.matrix].tensor.shape[1]);
    for (std::size_t row = block.first_row; row < std::min(rows, block.first_row + 16); ++row) {
      kept[block.matrix][row * columns + block.column] = false;
    }
  }
  return kept;
}

TEST(Patterns, BlocksGoAsAStableSortSays) {
  for (const PruningNorm norm : {PruningNorm::l1, PruningNorm::l2, PruningNorm::infinity}) {
    for (const std::size_t count : {0U, 1U, 9U, 100U, 217U}) {
      // Heights that are multiples of 16 and of nothing; one matrix with more than 64 rows of
      // blocks, which is a task of its own; one whose first column is gone already.
      std::vector<Matrix> matrices;
      matrices.emplace_back(33, 7, DType::f32, 1);
      matrices.emplace_back(1100, 3, DType::bf16, 2);
      matrices.emplace_back(5, 70, DType::f16, 3);
      for (std::size_t row = 0; row < 33; ++row) matrices[0].mask.prune(row * 7);
      const std::vector<Bits> expected = expected_blocks(matrices, norm, count);
      std::vector<Candidates> pieces;
      for (Matrix& matrix : matrices) pieces.push_back(matrix.candidates());
      const BlockGrids grids(pieces, norm, 2);
      // The last row of blocks is one weight high and has holes in two places.
      EXPECT_EQ(count_candidates(grids.blocks().first(1)), 3 * 6 - 2);
      const std::int64_t before = count_candidates(grids.blocks());
      prune_smallest(grids.blocks(), static_cast<std::int64_t>(count), 2);
      EXPECT_EQ(count_candidates(grids.blocks()), before - static_cast<std::int64_t>(count));
      grids.apply();
      for (std::size_t i = 0; i < matrices.size(); ++i) {
        EXPECT_EQ(bits_of(matrices[i].mask), expected[i]) << i << ", " << count;
      }
    }
  }
}

TEST(Patterns, BlocksOfEachMatrixAreItsShare) {
  Model model = checkpoint("bart");
  PruningOptions options{.amount = 0.5, .pattern = pruning_pattern_from_name("16x1")};
  ModelPruner pruner(model, options);
  pruner.prune();
  for (const std::string& layer : pruner.target_layers()) {
    const Mask& mask = model.masks.at("model." + layer + ".weight");
    const auto columns = static_cast<std::size_t>(mask.shape()[1]);
    std::size_t gone = 0;
    const std::size_t blocks = (static_cast<std::size_t>(mask.shape()[0]) + 15) / 16;
    for (std::size_t i = 0; i < blocks * columns; ++i) {
      gone += mask.kept(i / columns * 16 * columns + i % columns) ? 0 : 1;
    }
    EXPECT_EQ(gone, blocks * columns / 2) << layer;
  }
  // Half of what is left: three quarters.
  const std::size_t first = model.masks.begin()->second.pruned();
  pruner.prune();
  EXPECT_EQ(model.masks.begin()->second.pruned(), first + first / 2);
}

TEST(Patterns, HaveNames) {
  for (const char* name : {"free", "16x1", "2:4", "1:64"}) {
    EXPECT_EQ(name_of(pruning_pattern_from_name(name)), name);
  }
  for (const char* name : {"", "8x1", "4:2", "0:4", "4:4", "1:65", "-1:4", "2:4 ", ":",
                           "2:", "2:4:8", "99999999999:4"}) {
    EXPECT_THROW((void)pruning_pattern_from_name(name), Error) << name;
  }
}

TEST(Patterns, RefuseWhatDoesNotFit) {
  const PruningPattern blocks = pruning_pattern_from_name("16x1");
  EXPECT_THAT(refused_pruning({.method = PruningMethod::structured, .pattern = blocks}),
              HasSubstr("single weights"));
  EXPECT_THAT(refused_pruning(
                  {.method = PruningMethod::global, .pattern = blocks, .unit = PruningUnit::whole}),
              HasSubstr("single weights"));
  EXPECT_THAT(refused_pruning({.amount = 2, .pattern = blocks}), HasSubstr("0 to 1"));
  const std::string message = refused_pruning({.pattern = pruning_pattern_from_name("1:5")});
  EXPECT_THAT(message, HasSubstr("16 inputs"));
  EXPECT_THAT(message, HasSubstr("multiple of 5"));
  EXPECT_THAT(refused_pruning({.pattern = {.kind = PruningPattern::Kind::n_of_m, .n = 4, .m = 4}}),
              HasSubstr("1 <= n < m"));
}

}  // namespace
}  // namespace kobolt
