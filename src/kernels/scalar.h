#pragma once

#include "kernels/bf16.h"
#include "kernels/bytes.h"
#include "kernels/cache.h"
#include "kernels/head_attention.h"
#include "kernels/kernels.h"
#include "kernels/sparse.h"

/// The scalar twins of kernels.h: the plainest form that is right, and what other forms are tested
/// against.
namespace kobolt::kernels::scalar {

/// A quantised row whose largest magnitude is below this counts as zero: limit / magnitude must
/// not overflow.
inline constexpr float kSmallestMagnitude = 1e-30F;

/// One value through an activation.
float activation_of(Activation activation, float x);
/// c[row, column + 0..columns) = act(product + bias) + residual for one row of one panel, or what a
/// sink takes of it.
void finish(const float* product, int row, int column, int columns, float* c, std::ptrdiff_t ldc,
            const Epilogue& epilogue);

// What each of these does stands at the function of the same name and type.
decltype(kernels::pack_f32) pack_f32;
decltype(kernels::pack_f32_transposed) pack_f32_transposed;
decltype(kernels::quantize_rows) quantize_rows;
decltype(kernels::quantize_rows_u8) quantize_rows_u8;
decltype(kernels::sum_columns) sum_columns;
decltype(kernels::gemm_f32) gemm_f32;
decltype(kernels::gemm_f16) gemm_f16;
decltype(kernels::gemm_bf16) gemm_bf16;
decltype(kernels::gemm_i8) gemm_i8;
decltype(kernels::gemm_u8_i8) gemm_u8_i8;
decltype(kernels::gemm_u8_i4) gemm_u8_i4;
decltype(kernels::round_rows_bf16) round_rows_bf16;
decltype(kernels::gemm_bf16_bf16) gemm_bf16_bf16;
decltype(kernels::gemm_sparse_f32) gemm_sparse_f32;
decltype(kernels::gemm_sparse_f16) gemm_sparse_f16;
decltype(kernels::gemm_sparse_bf16) gemm_sparse_bf16;
decltype(kernels::gemm_sparse_i8) gemm_sparse_i8;
decltype(kernels::gemm_sparse_u8_i8) gemm_sparse_u8_i8;
decltype(kernels::gemm_sparse_bf16_bf16) gemm_sparse_bf16_bf16;
decltype(kernels::layer_norm) layer_norm;
decltype(kernels::add) add;
decltype(kernels::activate) activate;
decltype(kernels::softmax) softmax;
decltype(kernels::attention) attention;
decltype(kernels::attention_step) attention_step;
decltype(kernels::head_attention_i16) head_attention_i16;
decltype(kernels::head_attention_i8) head_attention_i8;
decltype(kernels::narrow_f16) narrow_f16;
decltype(kernels::narrow_panels_i8) narrow_panels_i8;
decltype(kernels::narrow_heads_i8) narrow_heads_i8;
decltype(kernels::attention_f16) attention_f16;
decltype(kernels::attention_i8) attention_i8;
decltype(kernels::attention_step_f16) attention_step_f16;
decltype(kernels::attention_step_i8) attention_step_i8;
decltype(kernels::log_sum_exp) log_sum_exp;
decltype(kernels::argmax) argmax;
decltype(kernels::top_k_add) top_k_add;

}  // namespace kobolt::kernels::scalar
