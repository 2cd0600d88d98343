#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"

/// Activations of 8 bits: for int4 weights everywhere, for int8 weights where the processor
/// multiplies bytes faster than pairs of int16 (x86's VNNI). Conventions are those of kernels.h;
/// the int8 weights are the same PackedI8.
namespace kobolt::kernels {

/// Quantised rows [m, 4 * quads(k)]: x[i, l] ~ scales[i] * (data[i, l] - zeros[i]). Each row has a
/// zero of its own, so that rows of one sign, as GELU leaves them, use all of the 256 values.
struct RowsU8 {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t ld = 0;
  const float* scales = nullptr;
  const std::int32_t* zeros = nullptr;
};
constexpr int quads(int k) { return (k + 3) / 4; }

/// Largest quantised value for inner size k: 255, or less where k * 127 * 255 would overflow the
/// 32-bit sum.
int byte_limit(int k);

/// Quantises m rows of x [m, k] to q [m, 4 * quads(k)]; what is past k is 0. The step of a row is
/// its range, 0 included, over byte_limit(k); values are rounded to nearest even. A row whose
/// largest magnitude is below 1e-30 gets scale 0, zero 0 and q = 0; a row with a NaN or an infinity
/// the same with scale NaN, so that whatever is computed from it is NaN.
void quantize_rows_u8(const float* x, std::ptrdiff_t ldx, int m, int k, std::uint8_t* q,
                      std::ptrdiff_t ldq, float* scales, std::int32_t* zeros);

/// How far off GELU may be after products of bytes, whose results become bytes again.
inline constexpr float kCoarseGelu = 2e-4F;

/// The sums of the rows of W, sum(q[j, :]), to sums [padded(n)]: what the zeros of rows are
/// multiplied with, sum((a - zero) * q) = sum(a * q) - zero * sum(q).
void sum_columns(const PackedI8& w, std::int32_t* sums);

/// gemm_i8 for rows of quantize_rows_u8; w.sums comes from sum_columns. The integer part, sum((a -
/// zero) * w), is exact. GELU is within kCoarseGelu, a hundredth of what rounding its usual results
/// to bytes adds.
void gemm_u8_i8(const RowsU8& a, int m, const PackedI8& w, int panel_begin, int panel_end, float* c,
                std::ptrdiff_t ldc, const Epilogue& epilogue);

/// c[i, j] for int4 weights and rows of quantize_rows_u8 that can be read up to kGroup4 *
/// groups(k); what they have past k does not matter. Sums of a group are exact, those over groups,
/// among them that of what the zeros add, are fp32's. GELU as above.
void gemm_u8_i4(const RowsU8& a, int m, const PackedI4& w, int panel_begin, int panel_end, float* c,
                std::ptrdiff_t ldc, const Epilogue& epilogue);

/// Whether gemm_u8_i8 is faster than gemm_i8, and the same for sparse matrices, on the instruction
/// set in use. Elsewhere it is there for tests, not for speed.
bool prefers_byte_rows();

}  // namespace kobolt::kernels
