#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kobolt::text {

/// Map of 64-bit keys to values, open addressing in one array: one cache miss a look-up. The key
/// with all bits set is reserved.
template <typename Value>
class FlatMap {
 public:
  FlatMap() : FlatMap(0) {}
  explicit FlatMap(std::size_t expected) {
    slots_.resize(std::bit_ceil(expected + expected / 2 + 8));
    mask_ = slots_.size() - 1;
  }

  /// The value of `key`, or nullptr.
  [[nodiscard]] const Value* find(std::uint64_t key) const {
    for (std::size_t at = mix(key) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return &slots_[at].value;
      if (slots_[at].key == empty) return nullptr;
    }
  }

  /// Adds `key` unless it is there. Returns its value and whether it is new.
  std::pair<Value*, bool> insert(std::uint64_t key, Value value) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    for (std::size_t at = mix(key) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return {&slots_[at].value, false};
      if (slots_[at].key == empty) {
        slots_[at] = {key, value};
        ++size_;
        return {&slots_[at].value, true};
      }
    }
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::uint64_t empty = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = empty;
    Value value{};
  };

  static std::size_t mix(std::uint64_t key) {
    key *= 0x9E3779B97F4A7C15U;  // 2^64 / golden ratio: spreads keys that differ in few bits
    return static_cast<std::size_t>(key ^ (key >> 32));
  }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    size_ = 0;
    for (const Slot& slot : old) {
      if (slot.key != empty) insert(slot.key, slot.value);
    }
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  std::size_t size_ = 0;
};

}  // namespace kobolt::text
