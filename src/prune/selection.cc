#include "prune/selection.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "kobolt/error.h"
#include "prune/parallel.h"

namespace kobolt {
namespace {

// A key has 31 bits: the upper ones are counted first, then the lower ones of those keys that share
// the upper half in which the threshold lies. One histogram then fits a core's own cache.
constexpr unsigned kLowBits = 15;
constexpr std::size_t kHighBins = std::size_t{1} << (31 - kLowBits);
constexpr std::size_t kLowBins = std::size_t{1} << kLowBits;
constexpr Key kLowMask = kLowBins - 1;

constexpr std::size_t kChunk = std::size_t{1} << 18;
static_assert(kChunk % kBlock == 0);

/// A stretch of one piece, small enough to share work evenly. Starts at a word of its mask.
struct Chunk {
  const Candidates* piece;
  std::size_t begin;
  std::size_t end;
  std::int64_t ties = 0;      ///< candidates with exactly the threshold's key
  std::int64_t ties_cut = 0;  ///< how many of them are pruned
};

using Histogram = std::vector<std::uint64_t>;
using OwnHistogram = std::vector<std::uint32_t>;  ///< of one worker: half the cache

/// visit(keys, word, block) for each block of the chunk: `word` has the candidates' bits.
template <typename Visit>
void for_each_block(const Chunk& chunk, const Visit& visit) {
  KeyBlock keys{};
  const std::span<std::uint64_t> words = chunk.piece->mask->words();
  for (std::size_t at = chunk.begin; at < chunk.end; at += kBlock) {
    load_scores(*chunk.piece, at, std::min(kBlock, chunk.end - at), keys);
    visit(keys, words[at / kBlock]);
  }
}

template <typename Visit>
void for_each_bit(std::uint64_t word, const Visit& visit) {
  for (; word != 0; word &= word - 1) visit(static_cast<std::size_t>(std::countr_zero(word)));
}

// A bit for each key of which `holds` is true. Comparisons fill bytes, which compilers do with
// vectors; a multiplication then gathers the lowest bits of eight of them. Keys have 31 bits, so
// they may be compared as signed numbers, for which every processor has an instruction.
template <typename Holds>
std::uint64_t bits_where(const KeyBlock& keys, const Holds& holds) {
  constexpr std::uint64_t kGather = 0x0102040810204080U;
  std::array<std::uint8_t, kBlock> flags;
  for (std::size_t i = 0; i < kBlock; ++i) {
    flags[i] = holds(static_cast<std::int32_t>(keys[i])) ? 1 : 0;
  }
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kBlock; i += 8) {
    std::uint64_t eight = 0;
    for (std::size_t j = 8; j-- > 0;) eight = eight << 8U | flags[i + j];
    bits |= (eight * kGather >> 56U) << i;
  }
  return bits;
}

class Selector {
 public:
  Selector(std::span<const Candidates> pieces, int threads) {
    for (const Candidates& piece : pieces) {
      for (std::size_t at = 0; at < piece.mask->size(); at += kChunk) {
        chunks_.push_back({&piece, at, std::min(at + kChunk, piece.mask->size())});
      }
    }
    workers_ = worker_count(threads, chunks_.size());
  }

  void run(std::int64_t count) {
    const Histogram high = high_histogram();
    refuse_not_a_number(high);
    if (count == 0) return;
    const auto [high_bin, before] = bin_of(high, count);
    const Histogram low = low_histogram(high_bin);
    const auto [low_bin, before_low] = bin_of(low, count - before);
    const Key threshold = static_cast<Key>(high_bin << kLowBits | low_bin);
    prune_below(threshold);
    prune_ties(threshold, count - before - before_low);
  }

 private:
  struct Bin {
    std::size_t index;
    std::int64_t before;  ///< candidates in lower bins
  };

  [[nodiscard]] Histogram high_histogram() const {
    return histogram(kHighBins, [](const KeyBlock& keys, std::uint64_t word, OwnHistogram& bins) {
      if (word == ~std::uint64_t{0}) {
        for (const Key key : keys) ++bins[key >> kLowBits];
      } else {
        for_each_bit(word, [&](std::size_t i) { ++bins[keys[i] >> kLowBits]; });
      }
    });
  }

  // Of those keys only whose upper bits are `high_bin`: few, in most blocks none.
  [[nodiscard]] Histogram low_histogram(std::size_t high_bin) const {
    const auto wanted = static_cast<std::int32_t>(high_bin);
    return histogram(
        kLowBins, [wanted](const KeyBlock& keys, std::uint64_t word, OwnHistogram& bins) {
          const std::uint64_t found =
              bits_where(keys, [=](std::int32_t key) { return key >> kLowBits == wanted; });
          for_each_bit(word & found, [&](std::size_t i) { ++bins[keys[i] & kLowMask]; });
        });
  }

  template <typename Count>
  Histogram histogram(std::size_t bins, const Count& count) const {
    std::vector<OwnHistogram> own(static_cast<std::size_t>(workers_), OwnHistogram(bins));
    parallel_for(workers_, chunks_.size(), [&](std::size_t task, int worker) {
      OwnHistogram& mine = own[static_cast<std::size_t>(worker)];
      for_each_block(chunks_[task],
                     [&](const KeyBlock& keys, std::uint64_t word) { count(keys, word, mine); });
    });
    Histogram all(bins);
    for (const OwnHistogram& part : own) {
      for (std::size_t i = 0; i < bins; ++i) all[i] += part[i];
    }
    return all;
  }

  // The bin in which the count-th smallest candidate lies.
  static Bin bin_of(const Histogram& bins, std::int64_t count) {
    std::int64_t before = 0;
    std::size_t index = 0;
    while (before + static_cast<std::int64_t>(bins[index]) < count) {
      before += static_cast<std::int64_t>(bins[index++]);
    }
    return {index, before};
  }

  void refuse_not_a_number(const Histogram& high) const {
    // The first of these bins holds infinity too.
    const bool possible = std::any_of(high.begin() + (kInfinity >> kLowBits), high.end(),
                                      [](std::uint64_t bin) { return bin != 0; });
    if (!possible) return;
    for (const Chunk& chunk : chunks_) {
      std::size_t block = chunk.begin / kBlock;
      for_each_block(chunk, [&](const KeyBlock& keys, std::uint64_t word) {
        for_each_bit(word, [&](std::size_t i) {
          if (keys[i] > kInfinity) {
            throw Error(ErrorKind::corrupt, "a weight is not a number",
                        {.field = std::string(chunk.piece->name),
                         .found = "NaN at element " + std::to_string(block * kBlock + i),
                         .hint = "a model with such weights computes nothing: look at how it was "
                                 "trained or saved"});
          }
        });
        ++block;
      });
    }
  }

  void prune_below(Key threshold) {
    parallel_for(workers_, chunks_.size(), [&](std::size_t task, int) {
      Chunk& chunk = chunks_[task];
      KeyBlock keys{};
      const std::span<std::uint64_t> words = chunk.piece->mask->words();
      for (std::size_t at = chunk.begin; at < chunk.end; at += kBlock) {
        load_scores(*chunk.piece, at, std::min(kBlock, chunk.end - at), keys);
        const auto limit = static_cast<std::int32_t>(threshold);
        const std::uint64_t below = bits_where(keys, [=](std::int32_t key) { return key < limit; });
        const std::uint64_t equal =
            bits_where(keys, [=](std::int32_t key) { return key == limit; });
        std::uint64_t& word = words[at / kBlock];
        chunk.ties += std::popcount(word & equal);
        word &= ~below;
      }
    });
  }

  void prune_ties(Key threshold, std::int64_t count) {
    for (Chunk& chunk : chunks_) {
      chunk.ties_cut = std::min(chunk.ties, count);
      count -= chunk.ties_cut;
    }
    parallel_for(workers_, chunks_.size(), [&](std::size_t task, int) {
      const Chunk& chunk = chunks_[task];
      std::int64_t left = chunk.ties_cut;
      KeyBlock keys{};
      const std::span<std::uint64_t> words = chunk.piece->mask->words();
      for (std::size_t at = chunk.begin; at < chunk.end && left > 0; at += kBlock) {
        load_scores(*chunk.piece, at, std::min(kBlock, chunk.end - at), keys);
        std::uint64_t& word = words[at / kBlock];
        for_each_bit(word, [&](std::size_t i) {
          if (left == 0 || keys[i] != threshold) return;
          word &= ~(std::uint64_t{1} << i);
          --left;
        });
      }
    });
  }

  std::vector<Chunk> chunks_;
  int workers_ = 1;
};

}  // namespace

void load_scores(const Candidates& piece, std::size_t begin, std::size_t count, KeyBlock& keys) {
  load_keys(*piece.weights, begin, count, keys);
  if (!piece.element_scales.empty()) {
    const float* scales = piece.element_scales.data() + begin;
    for (std::size_t i = 0; i < count; ++i) {
      keys[i] = std::bit_cast<Key>(magnitude_of(keys[i]) * std::abs(scales[i]));
    }
  }
  const std::size_t columns = piece.column_scales.size();
  if (columns == 0) return;
  std::size_t column = begin % columns;
  for (std::size_t i = 0; i < count; ++i) {
    keys[i] = std::bit_cast<Key>(magnitude_of(keys[i]) * piece.column_scales[column]);
    if (++column == columns) column = 0;
  }
}

std::int64_t count_candidates(std::span<const Candidates> pieces) {
  std::int64_t count = 0;
  for (const Candidates& piece : pieces) count += static_cast<std::int64_t>(piece.mask->active());
  return count;
}

void prune_smallest(std::span<const Candidates> pieces, std::int64_t count, int threads) {
  Selector(pieces, threads).run(count);
}

}  // namespace kobolt
