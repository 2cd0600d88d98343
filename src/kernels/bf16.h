#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"

/// Activations of bfloat16, for weights of bfloat16 where the processor multiplies pairs of them
/// (x86's AVX512_BF16). Sums are fp32's. Conventions are those of kernels.h; the weights are the
/// same PackedBF16.
namespace kobolt::kernels {

/// Rounds m rows of x [m, k] to nearest even, to q [m, 2 * pairs(k)]; what is past k is 0. What is
/// smaller than the smallest normal float becomes 0 of its sign.
void round_rows_bf16(const float* x, std::ptrdiff_t ldx, int m, int k, std::uint16_t* q,
                     std::ptrdiff_t ldq);

/// gemm_bf16 for rows of round_rows_bf16. Subnormal weights, and sums that are subnormal, may count
/// as 0.
void gemm_bf16_bf16(const std::uint16_t* a, std::ptrdiff_t lda, int m, const PackedBF16& w,
                    int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                    const Epilogue& epilogue);

/// Whether gemm_bf16_bf16 is faster than gemm_bf16, and the same for sparse matrices, on the
/// instruction set in use. Elsewhere it is there for tests, not for speed.
bool prefers_bf16_rows();

}  // namespace kobolt::kernels
