#include "gradient/attention.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"
#include "runtime/executor.h"

namespace kobolt {
namespace {

/// One head of one sequence: m queries, n keys, and where its columns begin.
struct Head {
  int m;
  int n;
  int dim;
  bool causal;
  std::ptrdiff_t ld;  ///< of all matrices
  std::ptrdiff_t at_query;
  std::ptrdiff_t at_key;

  [[nodiscard]] std::size_t pairs() const {
    return static_cast<std::size_t>(m) * static_cast<std::size_t>(n);
  }
  /// The largest packed matrix that is made of q, k or v.
  [[nodiscard]] std::size_t packed_size() const {
    const int length = std::max(m, n);
    return std::max(kernels::packed_f32_size(length, dim), kernels::packed_f32_size(dim, length));
  }
  [[nodiscard]] float scale() const { return 1.0F / std::sqrt(static_cast<float>(dim)); }
};

// c [m, n] = a . W^T for W [n, k] given as it is.
void times_rows(const float* a, std::ptrdiff_t lda, int m, const float* w, std::ptrdiff_t ldw,
                int n, int k, float* c, std::ptrdiff_t ldc, float* packed) {
  kernels::pack_f32(w, ldw, n, k, packed);
  kernels::gemm_f32(a, lda, m, {.data = packed, .n = n, .k = k}, 0, kernels::panels(n), c, ldc, {});
}

// c [m, n] = a . B for B [k, n].
void times_columns(const float* a, std::ptrdiff_t lda, int m, const float* b, std::ptrdiff_t ldb,
                   int n, int k, float* c, std::ptrdiff_t ldc, float* packed) {
  kernels::pack_f32_transposed(b, ldb, n, k, packed);
  kernels::gemm_f32(a, lda, m, {.data = packed, .n = n, .k = k}, 0, kernels::panels(n), c, ldc, {});
}

// p [m, n]: how much each query attends to each key.
void probabilities(const Head& head, const float* q, const float* k, float* p, float* packed) {
  times_rows(q, head.ld, head.m, k, head.ld, head.n, head.dim, p, head.n, packed);
  const float scale = head.scale();
  std::for_each_n(p, head.pairs(), [=](float& score) { score *= scale; });
  if (!head.causal) return kernels::softmax(p, head.n, head.m, head.n);
  for (int i = 0; i < head.m; ++i) {
    float* row = p + static_cast<std::ptrdiff_t>(i) * head.n;
    const int seen = std::min(i + 1, head.n);
    kernels::softmax(row, head.n, 1, seen);
    std::fill(row + seen, row + head.n, 0.0F);
  }
}

// From the gradient of the probabilities to that of q . K^T, in place.
void softmax_backward(const Head& head, const float* p, float* dp) {
  const float scale = head.scale();
  for (int i = 0; i < head.m; ++i, p += head.n, dp += head.n) {
    double mean = 0;
    for (int j = 0; j < head.n; ++j) mean += static_cast<double>(p[j]) * dp[j];
    for (int j = 0; j < head.n; ++j) dp[j] = p[j] * (dp[j] - static_cast<float>(mean)) * scale;
  }
}

// out [n, m] of x [m, n].
void transpose(const float* x, int m, int n, float* out) {
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      out[static_cast<std::ptrdiff_t>(j) * m + i] = x[static_cast<std::ptrdiff_t>(i) * n + j];
    }
  }
}

}  // namespace

Attention::Attention(ThreadPool& pool)
    : pool_(pool), scratch_(static_cast<std::size_t>(pool.threads())) {}

template <typename Body>
void Attention::for_each_head(const Shape& shape, const Sequences& sequences, const Body& body) {
  const int count = static_cast<int>(sequences.queries.size()) - 1;
  pool_.parallel_for(count * shape.heads, [&](int task, int thread) {
    const auto sequence = static_cast<std::size_t>(task / shape.heads);
    const int column = task % shape.heads * shape.head_dim;
    const std::ptrdiff_t ld = static_cast<std::ptrdiff_t>(shape.heads) * shape.head_dim;
    body(Head{.m = sequences.queries[sequence + 1] - sequences.queries[sequence],
              .n = sequences.keys[sequence + 1] - sequences.keys[sequence],
              .dim = shape.head_dim,
              .causal = shape.causal,
              .ld = ld,
              .at_query = sequences.queries[sequence] * ld + column,
              .at_key = sequences.keys[sequence] * ld + column},
         scratch_[static_cast<std::size_t>(thread)]);
  });
}

Matrix Attention::forward(const Shape& shape, const Sequences& sequences,
                          const Projections& input) {
  Matrix context(input.q.rows, input.q.columns);
  for_each_head(shape, sequences, [&](const Head& head, AlignedVector<float>& scratch) {
    float* p = reserve(scratch, head.pairs() + head.packed_size());
    float* packed = p + head.pairs();
    probabilities(head, input.q.values.data() + head.at_query, input.k.values.data() + head.at_key,
                  p, packed);
    times_columns(p, head.n, head.m, input.v.values.data() + head.at_key, head.ld, head.dim, head.n,
                  context.values.data() + head.at_query, head.ld, packed);
  });
  return context;
}

Attention::Projections Attention::backward(const Shape& shape, const Sequences& sequences,
                                           const Projections& input, const Matrix& dcontext) {
  Projections gradient{.q = Matrix(input.q.rows, input.q.columns),
                       .k = Matrix(input.k.rows, input.k.columns),
                       .v = Matrix(input.v.rows, input.v.columns)};
  for_each_head(shape, sequences, [&](const Head& head, AlignedVector<float>& scratch) {
    const std::ptrdiff_t ld = head.ld;
    float* p = reserve(scratch, 3 * head.pairs() + head.packed_size());
    float* dp = p + head.pairs();
    float* transposed = dp + head.pairs();
    float* packed = transposed + head.pairs();
    const float* q = input.q.values.data() + head.at_query;
    const float* k = input.k.values.data() + head.at_key;
    const float* v = input.v.values.data() + head.at_key;
    const float* dout = dcontext.values.data() + head.at_query;
    probabilities(head, q, k, p, packed);
    transpose(p, head.m, head.n, transposed);
    times_columns(transposed, head.m, head.n, dout, ld, head.dim, head.m,
                  gradient.v.values.data() + head.at_key, ld, packed);
    times_rows(dout, ld, head.m, v, ld, head.n, head.dim, dp, head.n, packed);
    softmax_backward(head, p, dp);
    times_columns(dp, head.n, head.m, k, ld, head.dim, head.n,
                  gradient.q.values.data() + head.at_query, ld, packed);
    transpose(dp, head.m, head.n, transposed);
    times_columns(transposed, head.m, head.n, q, ld, head.dim, head.m,
                  gradient.k.values.data() + head.at_key, ld, packed);
  });
  return gradient;
}

}  // namespace kobolt
