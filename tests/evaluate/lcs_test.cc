#include "evaluate/lcs.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace kobolt {
namespace {

using Tokens = std::vector<TokenId>;
using Table = std::vector<std::vector<std::size_t>>;

Table plain_table(const Tokens& a, const Tokens& b) {
  Table t(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      t[i][j] = a[i - 1] == b[j - 1] ? t[i - 1][j - 1] + 1 : std::max(t[i - 1][j], t[i][j - 1]);
    }
  }
  return t;
}

// Walks the whole table from its end: a match is taken, else left where that is longer, else up.
std::vector<bool> plain_marks(const Tokens& a, const Tokens& b) {
  const Table t = plain_table(a, b);
  std::vector<bool> hit(a.size());
  std::size_t i = a.size();
  std::size_t j = b.size();
  while (i > 0 && j > 0) {
    if (a[i - 1] == b[j - 1]) {
      hit[i - 1] = true;
      --i;
      --j;
    } else if (t[i][j - 1] > t[i - 1][j]) {
      --j;
    } else {
      --i;
    }
  }
  return hit;
}

Tokens random_tokens(std::mt19937& random, std::size_t length, unsigned kinds) {
  Tokens tokens(length);
  for (auto& token : tokens) token = static_cast<TokenId>(random() % kinds);
  return tokens;
}

// Lengths around the 64-bit words of the bit-parallel rows, few kinds for many ties.
TEST(LcsTest, AgreesWithThePlainTable) {
  std::mt19937 random(11);
  for (const std::size_t rows : {1, 2, 3, 17, 63, 64, 65, 130}) {
    for (const std::size_t columns : {1, 2, 5, 31, 63, 64, 65, 127, 128, 129, 200}) {
      for (const unsigned kinds : {1U, 2U, 3U, 8U, 60U}) {
        const Tokens a = random_tokens(random, rows, kinds);
        const Tokens b = random_tokens(random, columns, kinds);
        ASSERT_EQ(lcs_length(a, b), plain_table(a, b).back().back())
            << rows << " x " << columns << ", " << kinds << " kinds";
        std::vector<bool> hit(rows);
        mark_lcs(a, b, hit);
        ASSERT_EQ(hit, plain_marks(a, b)) << rows << " x " << columns << ", " << kinds << " kinds";
      }
    }
  }
}

TEST(LcsTest, EmptyTextsHaveNothingInCommon) {
  const Tokens some{1, 2};
  EXPECT_EQ(lcs_length({}, some), 0U);
  EXPECT_EQ(lcs_length(some, {}), 0U);
  std::vector<bool> hit(2);
  mark_lcs(some, {}, hit);
  EXPECT_EQ(hit, std::vector<bool>(2));
}

TEST(LcsTest, MarksAreAddedToThoseThatAreThere) {
  std::vector<bool> hit{true, false, false};
  mark_lcs(Tokens{1, 2, 3}, Tokens{3}, hit);
  EXPECT_EQ(hit, (std::vector<bool>{true, false, true}));
}

// A full table of this size would be 10 GB.
TEST(LcsTest, VeryLongTextsFitInMemory) {
  std::mt19937 random(5);
  const Tokens a = random_tokens(random, 50'000, 5000);
  Tokens b;
  for (std::size_t i = 0; i < a.size(); i += 2) b.push_back(a[i]);
  EXPECT_EQ(lcs_length(a, b), b.size());
  std::vector<bool> hit(a.size());
  mark_lcs(a, b, hit);
  EXPECT_EQ(static_cast<std::size_t>(std::count(hit.begin(), hit.end(), true)), b.size());
}

}  // namespace
}  // namespace kobolt
