#include "kernels/kernel_table.h"
#include "kernels/scalar.h"

namespace kobolt::kernels {

const KernelTable kScalarTable = {
    .name = "scalar",
    .tested = true,
    .pack_f32 = scalar::pack_f32,
    .pack_f32_transposed = scalar::pack_f32_transposed,
    .quantize_rows = scalar::quantize_rows,
    .quantize_rows_u8 = scalar::quantize_rows_u8,
    .sum_columns = scalar::sum_columns,
    .gemm_f32 = scalar::gemm_f32,
    .gemm_f16 = scalar::gemm_f16,
    .gemm_bf16 = scalar::gemm_bf16,
    .gemm_i8 = scalar::gemm_i8,
    .gemm_u8_i8 = scalar::gemm_u8_i8,
    .gemm_u8_i4 = scalar::gemm_u8_i4,
    .round_rows_bf16 = scalar::round_rows_bf16,
    .gemm_bf16_bf16 = scalar::gemm_bf16_bf16,
    .gemm_sparse_f32 = scalar::gemm_sparse_f32,
    .gemm_sparse_f16 = scalar::gemm_sparse_f16,
    .gemm_sparse_bf16 = scalar::gemm_sparse_bf16,
    .gemm_sparse_i8 = scalar::gemm_sparse_i8,
    .gemm_sparse_u8_i8 = scalar::gemm_sparse_u8_i8,
    .gemm_sparse_bf16_bf16 = scalar::gemm_sparse_bf16_bf16,
    .layer_norm = scalar::layer_norm,
    .add = scalar::add,
    .activate = scalar::activate,
    .softmax = scalar::softmax,
    .attention = scalar::attention,
    .attention_step = scalar::attention_step,
    .head_attention_i16 = scalar::head_attention_i16,
    .head_attention_i8 = scalar::head_attention_i8,
    .narrow_f16 = scalar::narrow_f16,
    .narrow_panels_i8 = scalar::narrow_panels_i8,
    .narrow_heads_i8 = scalar::narrow_heads_i8,
    .attention_f16 = scalar::attention_f16,
    .attention_i8 = scalar::attention_i8,
    .attention_step_f16 = scalar::attention_step_f16,
    .attention_step_i8 = scalar::attention_step_i8,
    .log_sum_exp = scalar::log_sum_exp,
    .argmax = scalar::argmax,
    .top_k_add = scalar::top_k_add,
};

}  // namespace kobolt::kernels
