#include "evaluate/lcs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>

namespace kobolt {
namespace {

using Word = std::uint64_t;
constexpr std::size_t kBits = 64;

// The rows of the table t[i][j] = LCS length of the first i tokens of one text (the rows) and the
// first j of the other (the columns). Bit j - 1 of a row is 0 where t[i][j] exceeds t[i][j - 1].
class LcsRows {
 public:
  explicit LcsRows(std::span<const TokenId> columns)
      : columns_(columns.size()), words_((columns.size() + kBits - 1) / kBits), matches_(words_) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      places_[columns[j]].push_back(static_cast<std::uint32_t>(j));
    }
  }

  [[nodiscard]] std::size_t words() const { return words_; }
  // Row 0: no step anywhere.
  [[nodiscard]] std::vector<Word> first() const { return std::vector<Word>(words_, ~Word{0}); }

  // Turns row i - 1 into row i, whose token is `token`.
  void advance(TokenId token, std::span<Word> row) {
    const auto found = places_.find(token);
    if (found == places_.end()) return;
    for (const std::uint32_t j : found->second) matches_[j / kBits] |= Word{1} << (j % kBits);
    Word carry = 0;
    for (std::size_t w = 0; w < words_; ++w) {
      const Word before = row[w];
      const Word hits = before & matches_[w];
      const Word partial = before + hits;
      const Word sum = partial + carry;
      carry = static_cast<Word>(partial < before) | static_cast<Word>(sum < partial);
      row[w] = sum | (before & ~matches_[w]);
    }
    for (const std::uint32_t j : found->second) matches_[j / kBits] = 0;
  }

  // t[i][j] of the row.
  [[nodiscard]] static std::size_t length(std::span<const Word> row, std::size_t j) {
    std::size_t steps = 0;
    for (std::size_t w = 0; w < j / kBits; ++w) {
      steps += static_cast<std::size_t>(std::popcount(~row[w]));
    }
    if (j % kBits != 0) {
      const Word below = (Word{1} << (j % kBits)) - 1;
      steps += static_cast<std::size_t>(std::popcount(~row[j / kBits] & below));
    }
    return steps;
  }
  // t[i][j] - t[i][j - 1].
  [[nodiscard]] static std::size_t step(std::span<const Word> row, std::size_t j) {
    return static_cast<std::size_t>((~row[(j - 1) / kBits] >> ((j - 1) % kBits)) & 1U);
  }
  [[nodiscard]] std::size_t columns() const { return columns_; }

 private:
  std::size_t columns_;
  std::size_t words_;
  std::vector<Word> matches_;
  std::unordered_map<TokenId, std::vector<std::uint32_t>> places_;
};

// All rows, for reading backwards: every stride-th is kept, the ones between are computed again
// when they are asked for.
class StoredRows {
 public:
  StoredRows(std::span<const TokenId> rows, std::span<const TokenId> columns)
      : tokens_(rows),
        table_(columns),
        stride_(static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(rows.size()))))) {
    std::vector<Word> row = table_.first();
    for (std::size_t i = 0; i <= rows.size(); ++i) {
      if (i > 0) table_.advance(rows[i - 1], row);
      if (i % stride_ == 0) kept_.push_back(row);
    }
    block_.resize(stride_);
  }

  // Row i; two neighbouring rows may be held at the same time only as copies.
  std::span<const Word> row(std::size_t i) {
    const std::size_t block = i / stride_;
    if (block != loaded_) {
      block_[0] = kept_[block];
      for (std::size_t k = 1; k < stride_ && block * stride_ + k <= tokens_.size(); ++k) {
        block_[k] = block_[k - 1];
        table_.advance(tokens_[block * stride_ + k - 1], block_[k]);
      }
      loaded_ = block;
    }
    return block_[i % stride_];
  }

 private:
  std::span<const TokenId> tokens_;
  LcsRows table_;
  std::size_t stride_;
  std::vector<std::vector<Word>> kept_;
  std::vector<std::vector<Word>> block_;
  std::size_t loaded_ = ~std::size_t{0};
};

}  // namespace

std::size_t lcs_length(std::span<const TokenId> a, std::span<const TokenId> b) {
  if (a.empty() || b.empty()) return 0;
  LcsRows table(b);
  std::vector<Word> row = table.first();
  for (const TokenId token : a) table.advance(token, row);
  return LcsRows::length(row, b.size());
}

void mark_lcs(std::span<const TokenId> reference, std::span<const TokenId> candidate,
              std::vector<bool>& hit) {
  if (reference.empty() || candidate.empty()) return;
  StoredRows rows(reference, candidate);
  std::size_t i = reference.size();
  std::size_t j = candidate.size();
  std::vector<Word> here;
  const auto last = rows.row(i);
  here.assign(last.begin(), last.end());
  while (i > 0 && j > 0) {
    const auto above = rows.row(i - 1);
    std::size_t length_here = LcsRows::length(here, j);
    std::size_t length_above = LcsRows::length(above, j);
    // Go left while that is longer than going up; a match ends the row in any case.
    while (j > 0 && reference[i - 1] != candidate[j - 1] &&
           length_here - LcsRows::step(here, j) > length_above) {
      length_here -= LcsRows::step(here, j);
      length_above -= LcsRows::step(above, j);
      --j;
    }
    if (j == 0) return;
    --i;
    if (reference[i] == candidate[j - 1]) {
      hit[i] = true;
      --j;
    }
    here.assign(above.begin(), above.end());
  }
}

}  // namespace kobolt
