#pragma once

// Which of Highway's targets the vector kernels are compiled for: include before anything of hwy/.
//
// x86: AVX2 and, where KOBOLT_AVX512 asks for it, AVX-512 ("AVX3"). Processors without AVX2 run the
// scalar twins; the steps between (SSSE3, SSE4) are not worth their compile time.
// 64-bit Arm: NEON. The vectors of SVE have no size at compile time, which panels need.
#if KOBOLT_AVX512
#define KOBOLT_NO_AVX512 0
#else
#define KOBOLT_NO_AVX512 HWY_AVX3
#endif
#define HWY_DISABLED_TARGETS                                                                  \
  (HWY_SSSE3 | HWY_SSE4 | KOBOLT_NO_AVX512 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | \
   HWY_SVE2_128)

/// Whether the target that is being compiled is one that the kernels are written for; Highway also
/// comes with the baseline of the compiler.
#define KOBOLT_SIMD_TARGET \
  (HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || (HWY_TARGET == HWY_NEON && HWY_ARCH_ARM_A64))
