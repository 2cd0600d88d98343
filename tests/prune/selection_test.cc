#include "prune/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kobolt/error.h"
#include "model/convert.h"
#include "prune/channels.h"

namespace kobolt {
namespace {

/// The same by sorting everything.
std::vector<std::vector<bool>> sorted_selection(const std::vector<Tensor>& tensors,
                                                const std::vector<Mask>& masks,
                                                std::int64_t count) {
  struct Entry {
    float magnitude;
    std::size_t piece;
    std::size_t element;
  };
  std::vector<Entry> entries;
  std::vector<std::vector<bool>> kept;
  for (std::size_t p = 0; p < tensors.size(); ++p) {
    const std::vector<float> values = tensors[p].to_f32();
    kept.emplace_back();
    for (std::size_t i = 0; i < values.size(); ++i) {
      kept[p].push_back(masks[p].kept(i));
      if (masks[p].kept(i)) entries.push_back({std::abs(values[i]), p, i});
    }
  }
  std::ranges::stable_sort(entries, {}, &Entry::magnitude);
  for (std::int64_t i = 0; i < count; ++i) {
    const Entry& entry = entries[static_cast<std::size_t>(i)];
    kept[entry.piece][entry.element] = false;
  }
  return kept;
}

std::vector<std::vector<bool>> bits_of(const std::vector<Mask>& masks) {
  std::vector<std::vector<bool>> kept;
  for (const Mask& mask : masks) {
    kept.emplace_back();
    for (std::size_t i = 0; i < mask.size(); ++i) kept.back().push_back(mask.kept(i));
  }
  return kept;
}

void expect_as_sorted(const std::vector<Tensor>& tensors, std::vector<Mask> masks,
                      std::int64_t count, int threads) {
  const auto expected = sorted_selection(tensors, masks, count);
  std::vector<Candidates> pieces;
  for (std::size_t p = 0; p < tensors.size(); ++p) pieces.push_back({"", &tensors[p], &masks[p]});
  const std::int64_t before = count_candidates(pieces);
  prune_smallest(pieces, count, threads);
  EXPECT_EQ(count_candidates(pieces), before - count);
  EXPECT_EQ(bits_of(masks), expected) << count << " of " << before << ", " << threads << " threads";
}

TEST(Selection, IsThatOfAStableSort) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 0.02F);
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    std::vector<Tensor> tensors;
    std::vector<Mask> masks;
    // The first is longer than a chunk, so that threads share it; 16 bits bring thousands of ties.
    for (const std::int64_t rows : {4099, 1, 63, 64, 65}) {
      std::vector<float> values(static_cast<std::size_t>(rows * 65));
      for (float& value : values) value = normal(random);
      tensors.push_back(convert(Tensor::from_f32({rows, 65}, std::move(values)), dtype, ""));
      masks.emplace_back(tensors.back().shape);
    }
    for (std::size_t i = 0; i < masks[0].size(); i += 3) masks[0].prune(i);
    std::vector<Candidates> pieces;
    for (std::size_t p = 0; p < tensors.size(); ++p) pieces.push_back({"", &tensors[p], &masks[p]});
    const std::int64_t all = count_candidates(pieces);
    for (const std::int64_t count : {std::int64_t{0}, std::int64_t{1}, all / 3, all - 1, all}) {
      expect_as_sorted(tensors, masks, count, count % 3 == 0 ? 1 : 3);
    }
  }
}

TEST(Selection, TiesGoToTheLowestIndex) {
  const std::vector<Tensor> tensors = {Tensor::from_f32({2, 3}, {2, -1, 1, 0.5, 1, -1}),
                                       Tensor::from_f32({1, 3}, {-1, 0.25, 1})};
  std::vector<Mask> masks = {Mask({2, 3}), Mask({1, 3})};
  const std::vector<Candidates> pieces = {{"", &tensors[0], &masks[0]},
                                          {"", &tensors[1], &masks[1]}};
  prune_smallest(pieces, 4, 2);
  EXPECT_EQ(bits_of(masks), (std::vector<std::vector<bool>>{{true, false, false, false, true, true},
                                                            {true, false, true}}));
  // All the same, zeros of both signs among them: the first ones.
  const Tensor zeros = Tensor::from_f32({1, 130}, std::vector<float>(130, -0.0F));
  Mask mask(zeros.shape);
  prune_smallest(std::vector<Candidates>{{"", &zeros, &mask}}, 70, 1);
  for (std::size_t i = 0; i < 130; ++i) EXPECT_EQ(mask.kept(i), i >= 70) << i;
}

TEST(Selection, RefusesWhatIsNoNumberBeforePruning) {
  std::vector<float> values(200, 1.0F);
  values[131] = std::nanf("");
  values[5] = INFINITY;  // as large as a number gets, but one
  const Tensor tensor = Tensor::from_f32({2, 100}, values);
  Mask mask(tensor.shape);
  const std::vector<Candidates> pieces = {{"some.weight", &tensor, &mask}};
  try {
    prune_smallest(pieces, 10, 1);
    FAIL() << "pruned";
  } catch (const Error& error) {
    EXPECT_EQ(error.detail().field, "some.weight");
    EXPECT_NE(error.detail().found.find("131"), std::string::npos);
  }
  EXPECT_EQ(mask.pruned(), 0U);
  mask.prune(131);
  prune_smallest(pieces, 198, 1);
  EXPECT_TRUE(mask.kept(5));
}

TEST(Channels, TiesGoToTheLowestIndex) {
  const std::vector<double> ranks = {3, 1, 1, 0, 1, 1};
  EXPECT_EQ(smallest(ranks, {0, 1, 2, 3, 4, 5}, 3), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(smallest(ranks, {0, 2, 4, 5}, 2), (std::vector<std::int64_t>{2, 4}));
  EXPECT_EQ(smallest(ranks, {0, 5}, 2), (std::vector<std::int64_t>{0, 5}));
}

}  // namespace
}  // namespace kobolt
