#pragma once

#include <string_view>

#include "kernels/bf16.h"
#include "kernels/bytes.h"
#include "kernels/cache.h"
#include "kernels/head_attention.h"
#include "kernels/kernels.h"
#include "kernels/sparse.h"

/// The kernels of one instruction set. kernels.h's functions of the same names call the table that
/// dispatch.cc has chosen; contracts are documented there.
namespace kobolt::kernels {

/// Query rows that share one block of scores in attention(): 32 rows of a 1,024-token document are
/// 128 KiB, a quarter of a 512 KiB L2 cache.
inline constexpr int kAttentionRows = 32;

struct KernelTable {
  std::string_view name;
  /// Whether the tests have run it on a processor, or on an emulated one (docs/processors.md).
  bool tested = false;
  /// Whether gemm_u8_i8 is faster than gemm_i8, and the same for sparse matrices.
  bool byte_rows = false;
  /// Whether gemm_bf16_bf16 is faster than gemm_bf16, and the same for sparse matrices.
  bool bf16_rows = false;
  decltype(&kernels::pack_f32) pack_f32;
  decltype(&kernels::pack_f32_transposed) pack_f32_transposed;
  decltype(&kernels::quantize_rows) quantize_rows;
  decltype(&kernels::quantize_rows_u8) quantize_rows_u8;
  decltype(&kernels::sum_columns) sum_columns;
  decltype(&kernels::gemm_f32) gemm_f32;
  decltype(&kernels::gemm_f16) gemm_f16;
  decltype(&kernels::gemm_bf16) gemm_bf16;
  decltype(&kernels::gemm_i8) gemm_i8;
  decltype(&kernels::gemm_u8_i8) gemm_u8_i8;
  decltype(&kernels::gemm_u8_i4) gemm_u8_i4;
  decltype(&kernels::round_rows_bf16) round_rows_bf16;
  decltype(&kernels::gemm_bf16_bf16) gemm_bf16_bf16;
  decltype(&kernels::gemm_sparse_f32) gemm_sparse_f32;
  decltype(&kernels::gemm_sparse_f16) gemm_sparse_f16;
  decltype(&kernels::gemm_sparse_bf16) gemm_sparse_bf16;
  decltype(&kernels::gemm_sparse_i8) gemm_sparse_i8;
  decltype(&kernels::gemm_sparse_u8_i8) gemm_sparse_u8_i8;
  decltype(&kernels::gemm_sparse_bf16_bf16) gemm_sparse_bf16_bf16;
  decltype(&kernels::layer_norm) layer_norm;
  decltype(&kernels::add) add;
  decltype(&kernels::activate) activate;
  decltype(&kernels::softmax) softmax;
  decltype(&kernels::attention) attention;
  decltype(&kernels::attention_step) attention_step;
  decltype(&kernels::head_attention_i16) head_attention_i16;
  decltype(&kernels::head_attention_i8) head_attention_i8;
  decltype(&kernels::narrow_f16) narrow_f16;
  decltype(&kernels::narrow_panels_i8) narrow_panels_i8;
  decltype(&kernels::narrow_heads_i8) narrow_heads_i8;
  decltype(&kernels::attention_f16) attention_f16;
  decltype(&kernels::attention_i8) attention_i8;
  decltype(&kernels::attention_step_f16) attention_step_f16;
  decltype(&kernels::attention_step_i8) attention_step_i8;
  decltype(&kernels::log_sum_exp) log_sum_exp;
  decltype(&kernels::argmax) argmax;
  decltype(&kernels::top_k_add) top_k_add;
};

/// Plain C++, for any processor, and the reference that the others are tested against.
extern const KernelTable kScalarTable;

}  // namespace kobolt::kernels
