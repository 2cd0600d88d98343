#pragma once

#include "kernels/bytes.h"
#include "kernels/cache.h"
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
/// c[row, column + 0..columns) = act(product + bias) + residual for one row of one panel.
void finish(const float* product, int row, int column, int columns, float* c, std::ptrdiff_t ldc,
            const Epilogue& epilogue);

void pack_f32(const float* w, std::ptrdiff_t ld, int n, int k, float* out);
void pack_f32_transposed(const float* w, std::ptrdiff_t ld, int n, int k, float* out);
void quantize_rows(const float* x, std::ptrdiff_t ldx, int m, int k, std::int16_t* q,
                   std::ptrdiff_t ldq, float* scales);
void quantize_rows_u8(const float* x, std::ptrdiff_t ldx, int m, int k, std::uint8_t* q,
                      std::ptrdiff_t ldq, float* scales, std::int32_t* zeros);
void sum_columns(const PackedI8& w, std::int32_t* sums);
void gemm_f32(const float* a, std::ptrdiff_t lda, int m, const PackedF32& w, int panel_begin,
              int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);
void gemm_f16(const float* a, std::ptrdiff_t lda, int m, const PackedF16& w, int panel_begin,
              int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);
void gemm_bf16(const float* a, std::ptrdiff_t lda, int m, const PackedBF16& w, int panel_begin,
               int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);
void gemm_i8(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
             const PackedI8& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
             const Epilogue& epilogue);
void gemm_u8_i8(const RowsU8& a, int m, const PackedI8& w, int panel_begin, int panel_end, float* c,
                std::ptrdiff_t ldc, const Epilogue& epilogue);
void gemm_u8_i4(const RowsU8& a, int m, const PackedI4& w, int panel_begin, int panel_end, float* c,
                std::ptrdiff_t ldc, const Epilogue& epilogue);
void gemm_sparse_f32(const float* a, std::ptrdiff_t lda, int m, const SparseF32& w, int panel_begin,
                     int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);
void gemm_sparse_f16(const float* a, std::ptrdiff_t lda, int m, const SparseF16& w, int panel_begin,
                     int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);
void gemm_sparse_bf16(const float* a, std::ptrdiff_t lda, int m, const SparseBF16& w,
                      int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                      const Epilogue& epilogue);
void gemm_sparse_i8(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
                    const SparseI8& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                    const Epilogue& epilogue);
void gemm_sparse_u8_i8(const RowsU8& a, int m, const SparseI8& w, int panel_begin, int panel_end,
                       float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);
void layer_norm(const float* x, std::ptrdiff_t ldx, int m, int d, const float* gamma,
                const float* beta, float epsilon, float* y, std::ptrdiff_t ldy);
void add(const float* x, float* y, std::size_t count);
void activate(Activation activation, float* x, std::size_t count);
void softmax(float* x, std::ptrdiff_t ldx, int m, int n);
void attention(const float* q, std::ptrdiff_t ldq, int m, const PackedF32& keys,
               const PackedF32& values, float scale, float* out, std::ptrdiff_t ldo,
               float* scratch);
void attention_step(const float* q, const float* keys, const float* values, std::ptrdiff_t ld,
                    const std::int32_t* rows, int length, int heads, int head_dim, float scale,
                    float* out, float* scratch);
void head_attention_i16(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                        int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                        float* scratch);
void narrow_f16(const float* x, std::size_t count, std::uint16_t* out);
void narrow_panels_i8(const float* packed, int n, int k, std::int8_t* out, float* scales);
void narrow_heads_i8(const float* x, int heads, int head_dim, std::int8_t* out, float* scales);
void attention_f16(const float* q, std::ptrdiff_t ldq, int m, const PackedF16& keys,
                   const PackedF16& values, float scale, float* out, std::ptrdiff_t ldo,
                   float* scratch);
void attention_i8(const float* q, std::ptrdiff_t ldq, int m, const PackedI8& keys,
                  const PackedI8& values, float scale, float* out, std::ptrdiff_t ldo,
                  float* scratch);
void attention_step_f16(const float* q, const std::uint16_t* keys, const std::uint16_t* values,
                        std::ptrdiff_t ld, const std::int32_t* rows, int length, int heads,
                        int head_dim, float scale, float* out, float* scratch);
void attention_step_i8(const float* q, const CacheRowsI8& keys, const CacheRowsI8& values,
                       const std::int32_t* rows, int length, int heads, int head_dim, float scale,
                       float* out, float* scratch);
float log_sum_exp(const float* x, int n);
int argmax(const float* x, int n);
void top_k_add(const float* x, int n, std::int32_t first, TopKHeap& heap);

}  // namespace kobolt::kernels::scalar
