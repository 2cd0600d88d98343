#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace kobolt {

/// Which elements of a tensor count and which are pruned: a bit each, so that the masks of a model
/// take a thirty-second of its float weights.
class Mask {
 public:
  static constexpr std::size_t kWordBits = 64;

  Mask() = default;
  /// Everything kept. `shape` is that of the tensor.
  explicit Mask(std::vector<std::int64_t> shape) : shape_(std::move(shape)) {
    size_ = 1;
    for (const std::int64_t extent : shape_) size_ *= static_cast<std::size_t>(extent);
    words_.assign((size_ + kWordBits - 1) / kWordBits, ~std::uint64_t{0});
    if (size_ % kWordBits != 0) words_.back() >>= kWordBits - size_ % kWordBits;
  }

  [[nodiscard]] const std::vector<std::int64_t>& shape() const noexcept { return shape_; }
  /// Elements in all.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Element i, in row-major order, is bit i % 64 of word i / 64: 1 = kept. Bits past the end are
  /// 0.
  [[nodiscard]] std::span<const std::uint64_t> words() const noexcept { return words_; }
  [[nodiscard]] std::span<std::uint64_t> words() noexcept { return words_; }

  [[nodiscard]] bool kept(std::size_t i) const {
    return (words_[i / kWordBits] >> (i % kWordBits) & 1U) != 0;
  }
  void prune(std::size_t i) { words_[i / kWordBits] &= ~(std::uint64_t{1} << (i % kWordBits)); }
  /// Kept elements.
  [[nodiscard]] std::size_t active() const {
    std::size_t count = 0;
    for (const std::uint64_t word : words_) count += static_cast<std::size_t>(std::popcount(word));
    return count;
  }
  /// Pruned elements.
  [[nodiscard]] std::size_t pruned() const { return size_ - active(); }

  bool operator==(const Mask&) const = default;

 private:
  std::vector<std::int64_t> shape_;
  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
};

}  // namespace kobolt
