#pragma once

#include <string>

namespace kobolt {

/// What a processor can do at most, in units of 1e9 a second.
struct Ceilings {
  double fp32 = 0;     ///< floating-point operations, fused multiply-adds counted as two
  double integer = 0;  ///< multiplications and additions of vpmaddwd + vpaddd
  double read = 0;     ///< bytes read from memory, past any cache
};

/// False where the loops below cannot run: they need x86-64 with AVX2 and FMA.
bool can_measure_ceilings();

/// Best of several runs. One thread is timed by its own CPU time, so that other programs do not
/// count; several by the wall, because they share.
Ceilings measure_ceilings(unsigned threads);

/// "AMD EPYC, family 25, model 1".
std::string processor_name();

}  // namespace kobolt
