#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kobolt/model.h"

/// Compute kernels: plain functions over caller's memory, single-threaded; the runtime splits work
/// over threads by rows and panels. Each has a SIMD form, chosen once by the processor, and a
/// scalar twin with the same signature.
///
/// Shape letters: m rows (tokens or beams), n output features, k input features. All matrices are
/// row-major; `ld` is the distance of two rows in elements. No pointer needs any alignment, outputs
/// overlap inputs only where it says so, and sizes may be 0 where nothing else is said.
///
/// NaN and infinity never crash, hang or write out of bounds. They pass through sums and products
/// as usual; what differs is said at each function.
namespace kobolt::kernels {

/// Output features of one packed panel: two AVX2 registers, one AVX-512 register, four NEON.
inline constexpr int kPanel = 16;
constexpr int panels(int n) { return (n + kPanel - 1) / kPanel; }
constexpr int padded(int n) { return panels(n) * kPanel; }

/// Weight W [n, k] packed for fp32: panels(n) panels, each [k][kPanel]; missing columns are zero.
struct PackedF32 {
  const float* data = nullptr;
  int n = 0;
  int k = 0;
};
/// Floats that pack_f32 writes.
std::size_t packed_f32_size(int n, int k);
/// Packs w [n, k] with row distance ld.
void pack_f32(const float* w, std::ptrdiff_t ld, int n, int k, float* out);
/// Packs W [n, k] that is given as its transpose w [k, n] with row distance ld: attention's values
/// [length, head_dim] become the PackedF32 of V^T without a detour.
void pack_f32_transposed(const float* w, std::ptrdiff_t ld, int n, int k, float* out);

/// Weight W [n, k] in 16 bits a value, in the panels of PackedF32: IEEE binary16, or bfloat16 (the
/// upper half of a float).
struct PackedF16 {
  const std::uint16_t* data = nullptr;
  int n = 0;
  int k = 0;
};
struct PackedBF16 {
  const std::uint16_t* data = nullptr;
  int n = 0;
  int k = 0;
};
/// Values that pack_f16 and pack_bf16 write.
std::size_t packed_16_size(int n, int k);
/// Rounds w to nearest even and packs it. binary16 ends at 65504: what rounds to more becomes
/// infinity. bfloat16 has the range of float.
void pack_f16(const float* w, std::ptrdiff_t ld, int n, int k, std::uint16_t* out);
void pack_bf16(const float* w, std::ptrdiff_t ld, int n, int k, std::uint16_t* out);

/// Weight W [n, k] packed for int8: panels(n) panels, each [pairs(k)][kPanel][2] where a pair is
/// two neighbouring k (the last one padded with zero). w[j, :] ~ scales[j] * q[j, :], q in
/// -127..127.
struct PackedI8 {
  const std::int8_t* data = nullptr;
  const float* scales = nullptr;  ///< [padded(n)]
  int n = 0;
  int k = 0;
  const std::int32_t* sums = nullptr;  ///< [padded(n)], of sum_columns; only gemm_u8_i8 reads them
};
constexpr int pairs(int k) { return (k + 1) / 2; }
std::size_t packed_i8_size(int n, int k);
/// Quantises each row of w symmetrically (scale = max|w| / 127, round to nearest even) and packs.
void pack_i8(const float* w, std::ptrdiff_t ld, int n, int k, std::int8_t* out, float* scales);

/// Weight W [n, k] packed for int4: panels(n) panels, each groups(k) blocks of 16 scales (bfloat16)
/// and 16 x 32 weights of 4 bits (block4.h says where), kBlock4 bytes: 4.5 bits a weight. Weight
/// w[j, l] ~ scale * q, q in -8..7, with a scale for each column and group of 32 along k (the last
/// group is padded with zeros). bfloat16 has fewer bits than binary16 but the range of float; the
/// steps are rounded to what is stored, so the missing bits cost nothing (0.004 % more error).
struct PackedI4 {
  const std::uint8_t* data = nullptr;
  int n = 0;
  int k = 0;
};
inline constexpr int kGroup4 = 32;
constexpr int groups(int k) { return (k + kGroup4 - 1) / kGroup4; }
inline constexpr int kBlock4 = kPanel * 2 + kPanel * kGroup4 / 2;
/// Bytes that pack_i4 writes.
std::size_t packed_i4_size(int n, int k);
/// Rounds each group with the scale, of several, that leaves the least squared error, and packs.
/// NaN becomes 0; a group with an infinity becomes NaN.
void pack_i4(const float* w, std::ptrdiff_t ld, int n, int k, std::uint8_t* out);
/// Row `row` of W as floats, to out [k].
void unpack_i4_row(const PackedI4& w, int row, float* out);

/// Largest magnitude of a quantised activation for inner size k: integer activations are held in
/// 16 bit and multiplied in pairs, which is exact; the bound makes the 32-bit sum
/// k * 127 * max safe from overflow. At least 8 bit for every k that fits the bound; 2047 (12 bit)
/// for usual sizes.
int activation_limit(int k);

/// Quantises m rows of x [m, k] to q [m, 2 * pairs(k)] (int16, |q| <= activation_limit(k), padding
/// zero), one scale a row: x ~ scales[i] * q, rounded to nearest even. A row whose largest
/// magnitude is below 1e-30 gets scale 0 and q = 0; a row with a NaN or an infinity gets scale NaN
/// and q = 0, so that whatever is computed from it is NaN.
void quantize_rows(const float* x, std::ptrdiff_t ldx, int m, int k, std::int16_t* q,
                   std::ptrdiff_t ldq, float* scales);

struct LogitSink;

/// What happens to a product before it is stored: c = act(a.W^T + bias) + residual.
struct Epilogue {
  const float* bias = nullptr;  ///< [padded(n)] or null
  Activation activation = Activation::none;
  const float* residual = nullptr;  ///< [m, n] with row distance ld_residual, or null; may be c
  std::ptrdiff_t ld_residual = 0;
  /// Takes a.W^T + bias, and nothing is stored: no activation, no residual, and c is not used.
  const LogitSink* sink = nullptr;
};

/// c[i, j] for all m rows and the panels [panel_begin, panel_end) of W. `a` is [m, k]. Columns past
/// n are not stored.
void gemm_f32(const float* a, std::ptrdiff_t lda, int m, const PackedF32& w, int panel_begin,
              int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);

/// The same for weights of 16 bits: they are widened exactly, and everything else is as in
/// gemm_f32.
void gemm_f16(const float* a, std::ptrdiff_t lda, int m, const PackedF16& w, int panel_begin,
              int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);
void gemm_bf16(const float* a, std::ptrdiff_t lda, int m, const PackedBF16& w, int panel_begin,
               int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue);

/// The same for int8 weights; `a` and `a_scales` come from quantize_rows.
void gemm_i8(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
             const PackedI8& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
             const Epilogue& epilogue);

/// y = (x - mean) / sqrt(var + epsilon) * gamma + beta over rows of d, two-pass; y may be x.
void layer_norm(const float* x, std::ptrdiff_t ldx, int m, int d, const float* gamma,
                const float* beta, float epsilon, float* y, std::ptrdiff_t ldy);

/// y += x.
void add(const float* x, float* y, std::size_t count);

/// In place activation over count values. Error below 1e-6, or four units of the
/// last place of a larger result, for |x| <= 100. At a NaN the
/// result is unspecified.
void activate(Activation activation, float* x, std::size_t count);

/// In place softmax over each of m rows of n values. -infinity gives exactly 0; a row of nothing
/// else gives zeros. With a NaN or +infinity in it a row's values are unspecified.
void softmax(float* x, std::ptrdiff_t ldx, int m, int n);

/// Attention of m query rows over one document's keys and values for one head:
/// out = softmax(q . K^T * scale) . V. Shapes: q [m, head_dim] (row distance ldq), out [m,
/// head_dim] (row distance ldo); keys packed as PackedF32 of K [length, head_dim], values as
/// PackedF32 of V^T [head_dim, length]: each is read once for all m rows.
/// `scratch` holds attention_scratch(m, length) floats.
void attention(const float* q, std::ptrdiff_t ldq, int m, const PackedF32& keys,
               const PackedF32& values, float scale, float* out, std::ptrdiff_t ldo,
               float* scratch);
std::size_t attention_scratch(int m, int length);

/// Self-attention of one new decoder position for one row (beam), all heads:
/// keys and values hold `length` positions; position p of this beam is at rows[p] * ld (so beams
/// are reordered by index, never copied). q, out: [heads * head_dim].
/// `scratch` holds heads * length floats.
void attention_step(const float* q, const float* keys, const float* values, std::ptrdiff_t ld,
                    const std::int32_t* rows, int length, int heads, int head_dim, float scale,
                    float* out, float* scratch);

/// log(sum(exp(x))) over n values, stable. -infinity if n is 0 or all of x is -infinity; with a NaN
/// or +infinity in x the result is unspecified.
float log_sum_exp(const float* x, int n);

/// Index of the largest of n >= 1 values (lowest index among equals). NaN counts as -infinity.
int argmax(const float* x, int n);

/// The count largest of x [n] in descending order (lowest index first among equals), into
/// values/indices [count]; 0 <= count <= n. Linear in n for the small counts of beam search. NaN
/// counts as -infinity.
void top_k(const float* x, int n, int count, float* values, std::int32_t* indices);

class TopKHeap;
/// Offers x[i] with index first + i to a heap of at least one place, for all i in [0, n): top_k of
/// a row that comes in pieces.
void top_k_add(const float* x, int n, std::int32_t first, TopKHeap& heap);

/// Which kernels are in use: "AVX512_BF16", "AVX512_VNNI", "AVX512", "AVX2", "NEON" or "scalar".
/// The first call of any kernel settles it: the set that the environment variable KOBOLT_ISA names
/// (Error(invalid_argument) for one that this processor or build lacks), else the best of those
/// that the tests have run.
std::string_view instruction_set();
/// The sets that this build and this processor can run, best first.
std::span<const std::string_view> available_instruction_sets();
/// Whether the tests of this version have run that set, on a processor or on an emulated one
/// (docs/processors.md). Throws Error(invalid_argument) for one that is not available.
bool instruction_set_tested(std::string_view name);
/// What is known of one of the sets that the kernels are written for.
struct InstructionSet {
  std::string_view name;
  bool compiled = false;
  std::string_view tested;  ///< where the tests have run it; empty: nowhere
};
/// All of them, best first, those that this build or this processor lacks included.
std::span<const InstructionSet> known_instruction_sets();
/// Forces a set, for tests and comparisons; "" chooses anew, as at the start. Throws
/// Error(invalid_argument) for one that this processor or build lacks. No kernel may be running.
void force_instruction_set(std::string_view name);

}  // namespace kobolt::kernels
