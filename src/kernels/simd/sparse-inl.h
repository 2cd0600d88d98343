// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_SPARSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_SPARSE_INL_H_
#undef KOBOLT_KERNELS_SPARSE_INL_H_
#else
#define KOBOLT_KERNELS_SPARSE_INL_H_
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "hwy/highway.h"
#include "kernels/simd/gemm-inl.h"

// Leaving values out by a mask, and putting zeros back. Both are one byte shuffle of a vector of 16
// bytes (8 for int8) whose indices a table gives for each mask: every instruction set has such a
// shuffle, and it makes zeros by itself. AVX2's permutation of 8 floats would take three
// instructions of the processor where this takes one, and a second one for the zeros.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace sparse {

namespace hn = hwy::HWY_NAMESPACE;

/// Values that one shuffle moves.
template <class T>
constexpr int kGroupOf = sizeof(T) == 4 ? 4 : 8;

/// Shuffles by mask: kExpand puts the i-th value at the i-th set bit and zeros elsewhere, the other
/// direction takes the values of the set bits together.
template <class T, bool kExpand>
struct Shuffles {
  static constexpr int kGroup = kGroupOf<T>;
  static constexpr int kBytes = kGroup * static_cast<int>(sizeof(T));
  static constexpr std::uint8_t kZero = 0x80;
  alignas(64) std::array<std::array<std::uint8_t, kBytes>, 1 << kGroup> table;

  constexpr Shuffles() : table() {
    for (int mask = 0; mask < 1 << kGroup; ++mask) {
      auto& row = table[static_cast<std::size_t>(mask)];
      row.fill(kZero);
      int count = 0;
      for (int i = 0; i < kGroup; ++i) {
        if ((mask >> i & 1) == 0) continue;
        const int to = kExpand ? i : count;
        const int from = kExpand ? count : i;
        for (int byte = 0; byte < static_cast<int>(sizeof(T)); ++byte) {
          row[static_cast<std::size_t>(to * static_cast<int>(sizeof(T)) + byte)] =
              static_cast<std::uint8_t>(from * static_cast<int>(sizeof(T)) + byte);
        }
        ++count;
      }
    }
  }
};
template <class T, bool kExpand>
constexpr Shuffles<T, kExpand> kShuffles;

/// One group of values through the shuffle of its mask. Reads and writes the whole group.
template <class T, bool kExpand>
HWY_INLINE void shuffle(const T* from, unsigned mask, T* to) {
  const hn::CappedTag<std::uint8_t, Shuffles<T, kExpand>::kBytes> bytes;
  const auto indices = hn::LoadU(bytes, kShuffles<T, kExpand>.table[mask].data());
  const auto values = hn::LoadU(bytes, reinterpret_cast<const std::uint8_t*>(from));
  hn::StoreU(hn::TableLookupBytesOr0(values, indices), bytes, reinterpret_cast<std::uint8_t*>(to));
}

/// Writes those of x [k] whose bits are set to `out`, and up to 15 values of rubbish behind them.
/// Returns the end of what counts.
template <class T>
HWY_INLINE T* compress(const T* HWY_RESTRICT x, const std::uint8_t* HWY_RESTRICT mask, int k,
                       T* HWY_RESTRICT out) {
  constexpr int kGroup = kGroupOf<T>;
  int l = 0;
#if HWY_TARGET == HWY_AVX3
  if constexpr (std::is_same_v<T, float>) {
    constexpr int kLanes = 16;
    for (; l + kLanes <= k; l += kLanes) {
      std::uint16_t bits;
      std::memcpy(&bits, mask + l / 8, sizeof(bits));
      _mm512_storeu_ps(out, _mm512_maskz_compress_ps(bits, _mm512_loadu_ps(x + l)));
      out += __builtin_popcount(bits);
    }
  }
#endif
  for (; l + 8 <= k; l += 8) {
    const unsigned bits = mask[l / 8];
    if constexpr (kGroup == 4) {
      const unsigned low = bits & 0xF;
      shuffle<T, false>(x + l, low, out);
      shuffle<T, false>(x + l + 4, bits >> 4, out + __builtin_popcount(low));
    } else {
      shuffle<T, false>(x + l, bits, out);
    }
    out += __builtin_popcount(bits);
  }
  for (; l < k; ++l) {
    if ((mask[l / 8] >> l % 8 & 1) != 0) *out++ = x[l];
  }
  return out;
}

/// Writes `units` units of a dense panel, given what is kept of them and a mask bit for each value.
/// Returns the next kept value. Reads up to 16 bytes beyond the kept values.
template <class T>
HWY_INLINE const T* expand(const T* HWY_RESTRICT kept, const std::uint8_t* HWY_RESTRICT mask,
                           int units, int unit_size, T* HWY_RESTRICT out) {
  constexpr int kGroup = kGroupOf<T>;
  const std::ptrdiff_t bytes = static_cast<std::ptrdiff_t>(units) * unit_size / 8;
  // Two bytes of mask a round: a unit of floats, half a unit of pairs.
  for (std::ptrdiff_t i = 0; i < bytes; i += 2) {
    std::uint16_t bits;
    std::memcpy(&bits, mask + i, sizeof(bits));
    gemm::ToL1()(reinterpret_cast<const char*>(kept) + gemm::kStreamAheadL1);
    T* to = out + i * 8;
    if constexpr (kGroup == 4) {
      shuffle<T, true>(kept, bits & 0xF, to);
      shuffle<T, true>(kept + __builtin_popcount(bits & 0xF), bits >> 4 & 0xF, to + 4);
      shuffle<T, true>(kept + __builtin_popcount(bits & 0xFF), bits >> 8 & 0xF, to + 8);
      shuffle<T, true>(kept + __builtin_popcount(bits & 0xFFF), bits >> 12, to + 12);
    } else {
      shuffle<T, true>(kept, bits & 0xFF, to);
      shuffle<T, true>(kept + __builtin_popcount(bits & 0xFF), bits >> 8, to + 8);
    }
    kept += __builtin_popcount(bits);
  }
  return kept;
}

/// Bits that are set among the first `count` of a mask whose other bits in the last byte are 0.
HWY_INLINE int count_bits(const std::uint8_t* mask, int count) {
  int bits = 0;
  int i = 0;
  for (; i + 64 <= count; i += 64) {
    std::uint64_t word;
    std::memcpy(&word, mask + i / 8, sizeof(word));
    bits += __builtin_popcountll(word);
  }
  for (; i < count; i += 8) bits += __builtin_popcount(mask[i / 8]);
  return bits;
}

/// The places of the set bits among the first `count` of a mask, times `distance`, in ascending
/// order. Returns how many.
HWY_INLINE int list_bits(const std::uint8_t* mask, int count, int distance, std::int32_t* places) {
  std::int32_t* out = places;
  for (int begin = 0; begin < count; begin += 64) {
    std::uint64_t word;  // masks are whole words
    std::memcpy(&word, mask + begin / 8, sizeof(word));
    for (; word != 0; word &= word - 1) *out++ = (begin + __builtin_ctzll(word)) * distance;
  }
  return static_cast<int>(out - places);
}

}  // namespace sparse
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
