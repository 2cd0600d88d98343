// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_DECLARATIONS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_DECLARATIONS_INL_H_
#undef KOBOLT_KERNELS_DECLARATIONS_INL_H_
#else
#define KOBOLT_KERNELS_DECLARATIONS_INL_H_
#endif

#include "hwy/highway.h"
#include "kernels/kernel_table.h"

HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {

// What each of these does stands at the function of the same name and type.
decltype(kernels::pack_f32) pack_f32;
decltype(kernels::pack_f32_transposed) pack_f32_transposed;
decltype(kernels::quantize_rows) quantize_rows;
decltype(kernels::quantize_rows_u8) quantize_rows_u8;
decltype(kernels::gemm_f32) gemm_f32;
decltype(kernels::gemm_f16) gemm_f16;
decltype(kernels::gemm_bf16) gemm_bf16;
decltype(kernels::gemm_i8) gemm_i8;
decltype(kernels::gemm_u8_i4) gemm_u8_i4;
decltype(kernels::gemm_sparse_f32) gemm_sparse_f32;
decltype(kernels::gemm_sparse_f16) gemm_sparse_f16;
decltype(kernels::gemm_sparse_bf16) gemm_sparse_bf16;
decltype(kernels::gemm_sparse_i8) gemm_sparse_i8;
decltype(kernels::layer_norm) layer_norm;
decltype(kernels::add) add;
decltype(kernels::activate) activate;
decltype(kernels::softmax) softmax;
decltype(kernels::attention) attention;
decltype(kernels::attention_step) attention_step;
decltype(kernels::head_attention_i16) head_attention_i16;
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

#if HWY_TARGET == HWY_AVX3
// What differs on processors with AVX512_VNNI.
decltype(kernels::gemm_i8) gemm_i8_vnni;
decltype(kernels::sum_columns) sum_columns_vnni;
decltype(kernels::gemm_u8_i8) gemm_u8_i8_vnni;
decltype(kernels::gemm_u8_i4) gemm_u8_i4_vnni;
decltype(kernels::gemm_sparse_i8) gemm_sparse_i8_vnni;
decltype(kernels::gemm_sparse_u8_i8) gemm_sparse_u8_i8_vnni;
decltype(kernels::head_attention_i16) head_attention_i16_vnni;
decltype(kernels::head_attention_i8) head_attention_i8_vnni;
decltype(kernels::attention_i8) attention_i8_vnni;
// What is for processors with AVX512_BF16 alone.
decltype(kernels::round_rows_bf16) round_rows_bf16;
decltype(kernels::gemm_bf16_bf16) gemm_bf16_bf16;
decltype(kernels::gemm_sparse_bf16_bf16) gemm_sparse_bf16_bf16;
#endif

}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
