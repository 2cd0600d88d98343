#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kobolt {

/// What a processor can do at most with the instructions of one set, in units of 1e9 a second.
struct Ceilings {
  double fp32 = 0;   ///< floating-point operations, fused multiply-adds counted as two
  double bf16 = 0;   ///< multiplications and additions of vdpbf16ps; 0 where there is none
  double pairs = 0;  ///< multiplications and additions of vpdpwssd, or of vpmaddwd + vpaddd
  double bytes = 0;  ///< multiplications and additions of vpdpbusd; 0 where there is none
  double read = 0;   ///< bytes read from memory, past any cache
  /// The same in fp32 and in bytes with operands that are loaded from L1, as those of any product
  /// must be: the tile of a product that takes the fewest instructions. Where a core decodes for
  /// two threads, it is these that are fewer. 0 as above.
  double fp32_loaded = 0;
  double bytes_loaded = 0;
};

/// The kernels' instruction sets whose ceilings this processor has, best first. Empty where none
/// can be measured: it takes x86-64 with AVX2 and FMA.
std::span<const std::string_view> measurable_sets();

/// Bytes that all threads together read in a pass. What is read again and again stays in a cache in
/// part, even if it is several times as large: beside an L3 of 32 MiB two threads read 41 GB/s of
/// 128 MiB, 35 of 768.
inline constexpr std::size_t kReadBytes = std::size_t{512} << 20;

/// How much to measure; as it stands, enough for figures that are reported.
struct CeilingEffort {
  std::int64_t steps = 1'000'000;  ///< of each loop of arithmetic, at least 1
  std::size_t read_bytes = kReadBytes;
  int repetitions = 15;  ///< of which the best counts, at least 1
};

/// `set` is one of measurable_sets(), `threads` at least 1. One thread is timed by its own CPU
/// time, so that other programs do not count; several by the wall, because they share.
Ceilings measure_ceilings(std::string_view set, unsigned threads, const CeilingEffort& effort = {});

/// Rates, in 1e9 bytes a second, of reading the same memory `passes` times, timed in the same way.
/// Empty where measurable_sets() is.
std::vector<double> read_rates(unsigned threads, int passes, std::size_t bytes);

/// "AMD EPYC, family 25, model 1".
std::string processor_name();

}  // namespace kobolt
