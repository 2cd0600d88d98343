#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kobolt {

/// What a processor can do at most with the instructions of one set, in units of 1e9 a second.
struct Ceilings {
  double fp32 = 0;   ///< floating-point operations, fused multiply-adds counted as two
  double pairs = 0;  ///< multiplications and additions of vpdpwssd, or of vpmaddwd + vpaddd
  double bytes = 0;  ///< multiplications and additions of vpdpbusd; 0 where there is none
  double read = 0;   ///< bytes read from memory, past any cache
};

/// The kernels' instruction sets whose ceilings this processor has, best first. Empty where none
/// can be measured: it takes x86-64 with AVX2 and FMA.
std::span<const std::string_view> measurable_sets();

/// Best of several runs; `set` is one of measurable_sets(). One thread is timed by its own CPU
/// time, so that other programs do not count; several by the wall, because they share.
Ceilings measure_ceilings(std::string_view set, unsigned threads);

/// "AMD EPYC, family 25, model 1".
std::string processor_name();

}  // namespace kobolt
