#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/table_simd.cc"  // NOLINT
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/simd_table.h"

HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

constexpr KernelTable kTable = {
    .name = HWY_TARGET == HWY_AVX2 ? "AVX2" : "AVX512",
    .pack_f32 = pack_f32,
    .pack_f32_transposed = pack_f32_transposed,
    .quantize_rows = quantize_rows,
    .gemm_f32 = gemm_f32,
    .gemm_f16 = gemm_f16,
    .gemm_bf16 = gemm_bf16,
    .gemm_i8 = gemm_i8,
    .gemm_i4 = gemm_i4,
    .layer_norm = layer_norm,
    .add = add,
    .activate = activate,
    .softmax = softmax,
    .attention = attention,
    .attention_step = attention_step,
    .narrow_f16 = narrow_f16,
    .narrow_panels_i8 = narrow_panels_i8,
    .narrow_heads_i8 = narrow_heads_i8,
    .attention_f16 = attention_f16,
    .attention_i8 = attention_i8,
    .attention_step_f16 = attention_step_f16,
    .attention_step_i8 = attention_step_i8,
    .log_sum_exp = log_sum_exp,
    .argmax = argmax,
    .top_k_add = top_k_add,
};

}  // namespace

const KernelTable* table() { return &kTable; }
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kobolt::kernels {

const KernelTable* avx2_table() {
#if (HWY_TARGETS & HWY_AVX2) != 0
  if ((hwy::SupportedTargets() & HWY_AVX2) != 0) return N_AVX2::table();
#endif
  return nullptr;
}

}  // namespace kobolt::kernels
#endif
