#pragma once

// Which of Highway's targets the vector kernels are compiled for: include before anything of hwy/.
// Processors without AVX2 run the scalar twins; the steps between (SSSE3, SSE4) are not worth their
// compile time.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3 | HWY_AVX3_DL)

/// The kernels multiply pairs of int16 with vpmaddwd, whose lane order is that of x86.
#define KOBOLT_SIMD_TARGET (HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3)
