#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/table_simd.cc"  // NOLINT
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/scalar.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/simd_table.h"

HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

constexpr std::string_view kName = HWY_TARGET == HWY_AVX2   ? "AVX2"
                                   : HWY_TARGET == HWY_AVX3 ? "AVX512"
                                                            : "NEON";

constexpr KernelTable kTable = {
    .name = kName,
    .tested = true,  // docs/processors.md says where
    .pack_f32 = pack_f32,
    .pack_f32_transposed = pack_f32_transposed,
    .quantize_rows = quantize_rows,
    .quantize_rows_u8 = quantize_rows_u8,
    .sum_columns = scalar::sum_columns,  // as gemm_u8_i8
    .gemm_f32 = gemm_f32,
    .gemm_f16 = gemm_f16,
    .gemm_bf16 = gemm_bf16,
    .gemm_i8 = gemm_i8,
    .gemm_u8_i8 = scalar::gemm_u8_i8,  // never asked for: byte_rows is false
    .gemm_u8_i4 = gemm_u8_i4,
    .round_rows_bf16 = scalar::round_rows_bf16,  // never asked for: bf16_rows is false
    .gemm_bf16_bf16 = scalar::gemm_bf16_bf16,    // the same
    .gemm_sparse_f32 = gemm_sparse_f32,
    .gemm_sparse_f16 = gemm_sparse_f16,
    .gemm_sparse_bf16 = gemm_sparse_bf16,
    .gemm_sparse_i8 = gemm_sparse_i8,
    .gemm_sparse_u8_i8 = scalar::gemm_sparse_u8_i8,  // as gemm_u8_i8
    .gemm_sparse_bf16_bf16 = scalar::gemm_sparse_bf16_bf16,
    .layer_norm = layer_norm,
    .add = add,
    .activate = activate,
    .softmax = softmax,
    .attention = attention,
    .attention_step = attention_step,
    .head_attention_i16 = head_attention_i16,
    .head_attention_i8 = scalar::head_attention_i8,  // as gemm_u8_i8
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

#if HWY_TARGET == HWY_AVX3
constexpr KernelTable kVnniTable = [] {
  KernelTable table = kTable;
  table.name = "AVX512_VNNI";
  table.byte_rows = true;
  table.gemm_i8 = gemm_i8_vnni;
  table.sum_columns = sum_columns_vnni;
  table.gemm_u8_i8 = gemm_u8_i8_vnni;
  table.gemm_u8_i4 = gemm_u8_i4_vnni;
  table.gemm_sparse_i8 = gemm_sparse_i8_vnni;
  table.gemm_sparse_u8_i8 = gemm_sparse_u8_i8_vnni;
  table.head_attention_i16 = head_attention_i16_vnni;
  table.head_attention_i8 = head_attention_i8_vnni;
  table.attention_i8 = attention_i8_vnni;
  return table;
}();

constexpr KernelTable kBf16Table = [] {
  KernelTable table = kVnniTable;
  table.name = "AVX512_BF16";
  table.bf16_rows = true;
  table.round_rows_bf16 = round_rows_bf16;
  table.gemm_bf16_bf16 = gemm_bf16_bf16;
  table.gemm_sparse_bf16_bf16 = gemm_sparse_bf16_bf16;
  return table;
}();
#endif

}  // namespace

const KernelTable* table() { return &kTable; }
#if HWY_TARGET == HWY_AVX3
const KernelTable* vnni_table() { return &kVnniTable; }
const KernelTable* bf16_table() { return &kBf16Table; }
#endif
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kobolt::kernels {

bool avx512_compiled() { return (HWY_TARGETS & HWY_AVX3) != 0; }
bool avx2_compiled() { return (HWY_TARGETS & HWY_AVX2) != 0; }
bool neon_compiled() { return (HWY_TARGETS & HWY_NEON) != 0; }

const KernelTable* avx512_bf16_table() {
#if (HWY_TARGETS & HWY_AVX3) != 0
  if (avx512_vnni_table() != nullptr && __builtin_cpu_supports("avx512bf16") != 0) {
    return N_AVX3::bf16_table();
  }
#endif
  return nullptr;
}

const KernelTable* avx512_vnni_table() {
#if (HWY_TARGETS & HWY_AVX3) != 0
  if (avx512_table() != nullptr && __builtin_cpu_supports("avx512vnni") != 0) {
    return N_AVX3::vnni_table();
  }
#endif
  return nullptr;
}

const KernelTable* avx512_table() {
#if (HWY_TARGETS & HWY_AVX3) != 0
  if ((hwy::SupportedTargets() & HWY_AVX3) != 0) return N_AVX3::table();
#endif
  return nullptr;
}

const KernelTable* avx2_table() {
#if (HWY_TARGETS & HWY_AVX2) != 0
  if ((hwy::SupportedTargets() & HWY_AVX2) != 0) return N_AVX2::table();
#endif
  return nullptr;
}

const KernelTable* neon_table() {
#if (HWY_TARGETS & HWY_NEON) != 0
  // Every 64-bit Arm processor has what these kernels use. Highway's own test asks for the
  // instructions of AES as well, which some lack and nothing here needs.
  return N_NEON::table();
#else
  return nullptr;
#endif
}

}  // namespace kobolt::kernels
#endif
