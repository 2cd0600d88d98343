#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/head_scratch.h"
#include "kernels/kernel_table.h"
#include "kernels/processor.h"
#include "kernels/simd/simd_table.h"
#include "kernels/top_k.h"
#include "kobolt/error.h"

namespace kobolt::kernels {
namespace {

/// Gives the table of one instruction set, null where this build or this processor lacks it.
using TableSource = const KernelTable* (*)();

/// Best first; the last one runs everywhere.
constexpr std::array<TableSource, 6> kImplementations = {
    avx512_bf16_table, avx512_vnni_table, avx512_table,
    avx2_table,        neon_table,        [] { return &kScalarTable; },
};

/// The tables that this processor can run, best first.
const std::vector<const KernelTable*>& available() {
  static const std::vector<const KernelTable*> tables = [] {
    std::vector<const KernelTable*> found;
    for (const TableSource source : kImplementations) {
      if (const KernelTable* table = source()) found.push_back(table);
    }
    return found;
  }();
  return tables;
}

const KernelTable& find(std::string_view name, const std::string& field) {
  std::string names;
  for (const KernelTable* table : available()) {
    if (table->name == name) return *table;
    names += names.empty() ? "" : ", ";
    names += table->name;
  }
  throw Error(ErrorKind::invalid_argument,
              "no such instruction set in this build or on this processor",
              {.field = field,
               .found = std::string(name),
               .expected = names,
               .hint = "leave it unset to use the best one"});
}

const KernelTable& choose() {
  const char* wanted = std::getenv("KOBOLT_ISA");
  if (wanted != nullptr && *wanted != '\0') return find(wanted, "KOBOLT_ISA");
  // What no test has run, or is slower than what comes after it, is used where it is asked for by
  // name, and nowhere else.
  return **std::ranges::find_if(available(), [](const KernelTable* table) {
    return table->tested && !(table->bf16_rows && slow_bf16_products());
  });
}

std::atomic<const KernelTable*> active_table{nullptr};

/// The table in use. Threads that come here first at the same time all find the same one.
const KernelTable& active() {
  const KernelTable* table = active_table.load(std::memory_order_relaxed);
  if (table == nullptr) {
    table = &choose();
    active_table.store(table, std::memory_order_relaxed);
  }
  return *table;
}

}  // namespace

std::string_view instruction_set() { return active().name; }

std::span<const std::string_view> available_instruction_sets() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> found;
    for (const KernelTable* table : available()) found.push_back(table->name);
    return found;
  }();
  return names;
}

std::span<const InstructionSet> known_instruction_sets() {
  static const std::array<InstructionSet, kImplementations.size()> sets = {{
      {.name = "AVX512_BF16", .compiled = avx512_compiled(), .tested = "on a processor"},
      {.name = "AVX512_VNNI", .compiled = avx512_compiled(), .tested = "on a processor"},
      {.name = "AVX512", .compiled = avx512_compiled(), .tested = "on a processor"},
      {.name = "AVX2", .compiled = avx2_compiled(), .tested = "on a processor"},
      {.name = "NEON", .compiled = neon_compiled(), .tested = "under qemu-aarch64"},
      {.name = "scalar", .compiled = true, .tested = "on a processor"},
  }};
  return sets;
}

bool instruction_set_tested(std::string_view name) { return find(name, "instruction set").tested; }

void force_instruction_set(std::string_view name) {
  active_table = name.empty() ? &choose() : &find(name, "instruction set");
}

void pack_f32(const float* w, std::ptrdiff_t ld, int n, int k, float* out) {
  assert(n >= 0 && k >= 0);
  active().pack_f32(w, ld, n, k, out);
}

void pack_f32_transposed(const float* w, std::ptrdiff_t ld, int n, int k, float* out) {
  assert(n >= 0 && k >= 0);
  active().pack_f32_transposed(w, ld, n, k, out);
}

void quantize_rows(const float* x, std::ptrdiff_t ldx, int m, int k, std::int16_t* q,
                   std::ptrdiff_t ldq, float* scales) {
  assert(m >= 0 && k >= 0);
  active().quantize_rows(x, ldx, m, k, q, ldq, scales);
}

void quantize_rows_u8(const float* x, std::ptrdiff_t ldx, int m, int k, std::uint8_t* q,
                      std::ptrdiff_t ldq, float* scales, std::int32_t* zeros) {
  assert(m >= 0 && k >= 0);
  active().quantize_rows_u8(x, ldx, m, k, q, ldq, scales, zeros);
}

void sum_columns(const PackedI8& w, std::int32_t* sums) {
  assert(w.n >= 0 && w.k >= 0);
  active().sum_columns(w, sums);
}

void gemm_f32(const float* a, std::ptrdiff_t lda, int m, const PackedF32& w, int panel_begin,
              int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.n));
  active().gemm_f32(a, lda, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_f16(const float* a, std::ptrdiff_t lda, int m, const PackedF16& w, int panel_begin,
              int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.n));
  active().gemm_f16(a, lda, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_bf16(const float* a, std::ptrdiff_t lda, int m, const PackedBF16& w, int panel_begin,
               int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.n));
  active().gemm_bf16(a, lda, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_i8(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
             const PackedI8& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
             const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.n));
  active().gemm_i8(a, lda, a_scales, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_u8_i8(const RowsU8& a, int m, const PackedI8& w, int panel_begin, int panel_end, float* c,
                std::ptrdiff_t ldc, const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.n));
  active().gemm_u8_i8(a, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

bool prefers_byte_rows() { return active().byte_rows; }

void gemm_u8_i4(const RowsU8& a, int m, const PackedI4& w, int panel_begin, int panel_end, float* c,
                std::ptrdiff_t ldc, const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.n));
  active().gemm_u8_i4(a, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void round_rows_bf16(const float* x, std::ptrdiff_t ldx, int m, int k, std::uint16_t* q,
                     std::ptrdiff_t ldq) {
  assert(m >= 0 && k >= 0);
  active().round_rows_bf16(x, ldx, m, k, q, ldq);
}

void gemm_bf16_bf16(const std::uint16_t* a, std::ptrdiff_t lda, int m, const PackedBF16& w,
                    int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                    const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.n));
  active().gemm_bf16_bf16(a, lda, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

bool prefers_bf16_rows() { return active().bf16_rows; }

void gemm_sparse_f32(const float* a, std::ptrdiff_t lda, int m, const SparseF32& w, int panel_begin,
                     int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.kept.n));
  active().gemm_sparse_f32(a, lda, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_sparse_f16(const float* a, std::ptrdiff_t lda, int m, const SparseF16& w, int panel_begin,
                     int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.kept.n));
  active().gemm_sparse_f16(a, lda, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_sparse_bf16(const float* a, std::ptrdiff_t lda, int m, const SparseBF16& w,
                      int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                      const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.kept.n));
  active().gemm_sparse_bf16(a, lda, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_sparse_i8(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
                    const SparseI8& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                    const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.kept.n));
  active().gemm_sparse_i8(a, lda, a_scales, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_sparse_u8_i8(const RowsU8& a, int m, const SparseI8& w, int panel_begin, int panel_end,
                       float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.kept.n));
  active().gemm_sparse_u8_i8(a, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_sparse_bf16_bf16(const std::uint16_t* a, std::ptrdiff_t lda, int m, const SparseBF16& w,
                           int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                           const Epilogue& epilogue) {
  assert(m >= 0 && 0 <= panel_begin && panel_begin <= panel_end && panel_end <= panels(w.kept.n));
  active().gemm_sparse_bf16_bf16(a, lda, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void layer_norm(const float* x, std::ptrdiff_t ldx, int m, int d, const float* gamma,
                const float* beta, float epsilon, float* y, std::ptrdiff_t ldy) {
  assert(m >= 0 && d >= 0);
  active().layer_norm(x, ldx, m, d, gamma, beta, epsilon, y, ldy);
}

void add(const float* x, float* y, std::size_t count) { active().add(x, y, count); }

void activate(Activation activation, float* x, std::size_t count) {
  active().activate(activation, x, count);
}

void softmax(float* x, std::ptrdiff_t ldx, int m, int n) {
  assert(m >= 0 && n >= 0);
  active().softmax(x, ldx, m, n);
}

std::size_t attention_scratch(int m, int length) {
  return static_cast<std::size_t>(std::min(m, kAttentionRows)) *
         static_cast<std::size_t>(padded(length));
}

void attention(const float* q, std::ptrdiff_t ldq, int m, const PackedF32& keys,
               const PackedF32& values, float scale, float* out, std::ptrdiff_t ldo,
               float* scratch) {
  assert(m >= 0 && keys.n == values.k && keys.k == values.n);
  active().attention(q, ldq, m, keys, values, scale, out, ldo, scratch);
}

void attention_step(const float* q, const float* keys, const float* values, std::ptrdiff_t ld,
                    const std::int32_t* rows, int length, int heads, int head_dim, float scale,
                    float* out, float* scratch) {
  assert(length >= 0 && heads >= 0 && head_dim >= 0);
  active().attention_step(q, keys, values, ld, rows, length, heads, head_dim, scale, out, scratch);
}

std::size_t head_attention_i16_scratch(int length, int head_dim) {
  return static_cast<std::size_t>(HeadScratch(length, head_dim, 2).size);
}

void head_attention_i16(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                        int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                        float* scratch) {
  assert(length >= 0 && length <= kMostLengthInteger && head_dim <= kMostHeadDimInteger);
  active().head_attention_i16(q, k, v, ld, length, head_dim, scale, out, ldo, scratch);
}

std::size_t head_attention_i8_scratch(int length, int head_dim) {
  return static_cast<std::size_t>(HeadScratch(length, head_dim, 4).size);
}

void head_attention_i8(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                       int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                       float* scratch) {
  assert(length >= 0 && length <= kMostLengthInteger && head_dim <= kMostHeadDimInteger);
  active().head_attention_i8(q, k, v, ld, length, head_dim, scale, out, ldo, scratch);
}

std::size_t attention_scratch_i8(int m, int length, int head_dim) {
  const auto rows = static_cast<std::size_t>(std::min(m, kAttentionRows));
  const auto quantized = static_cast<std::size_t>(std::max(pairs(length), pairs(head_dim)));
  // A factor a row, in whole vectors; rounded rows, the last written up to two vectors beyond its
  // end.
  return attention_scratch(m, length) + padded(kAttentionRows) + rows * quantized + kPanel;
}

void narrow_f16(const float* x, std::size_t count, std::uint16_t* out) {
  active().narrow_f16(x, count, out);
}

void narrow_panels_i8(const float* packed, int n, int k, std::int8_t* out, float* scales) {
  active().narrow_panels_i8(packed, n, k, out, scales);
}

void narrow_heads_i8(const float* x, int heads, int head_dim, std::int8_t* out, float* scales) {
  active().narrow_heads_i8(x, heads, head_dim, out, scales);
}

void attention_f16(const float* q, std::ptrdiff_t ldq, int m, const PackedF16& keys,
                   const PackedF16& values, float scale, float* out, std::ptrdiff_t ldo,
                   float* scratch) {
  active().attention_f16(q, ldq, m, keys, values, scale, out, ldo, scratch);
}

void attention_i8(const float* q, std::ptrdiff_t ldq, int m, const PackedI8& keys,
                  const PackedI8& values, float scale, float* out, std::ptrdiff_t ldo,
                  float* scratch) {
  active().attention_i8(q, ldq, m, keys, values, scale, out, ldo, scratch);
}

void attention_step_f16(const float* q, const std::uint16_t* keys, const std::uint16_t* values,
                        std::ptrdiff_t ld, const std::int32_t* rows, int length, int heads,
                        int head_dim, float scale, float* out, float* scratch) {
  active().attention_step_f16(q, keys, values, ld, rows, length, heads, head_dim, scale, out,
                              scratch);
}

void attention_step_i8(const float* q, const CacheRowsI8& keys, const CacheRowsI8& values,
                       const std::int32_t* rows, int length, int heads, int head_dim, float scale,
                       float* out, float* scratch) {
  active().attention_step_i8(q, keys, values, rows, length, heads, head_dim, scale, out, scratch);
}

float log_sum_exp(const float* x, int n) {
  assert(n >= 0);
  return active().log_sum_exp(x, n);
}

int argmax(const float* x, int n) {
  assert(n >= 1);
  return active().argmax(x, n);
}

void top_k(const float* x, int n, int count, float* values, std::int32_t* indices) {
  assert(0 <= count && count <= n);
  if (count == 0) return;
  TopKHeap heap(count, values, indices);
  active().top_k_add(x, n, 0, heap);
  heap.sort();
}

void top_k_add(const float* x, int n, std::int32_t first, TopKHeap& heap) {
  assert(n >= 0);
  active().top_k_add(x, n, first, heap);
}

}  // namespace kobolt::kernels
