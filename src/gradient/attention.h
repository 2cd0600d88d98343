#pragma once

#include <span>
#include <vector>

#include "base/aligned.h"
#include "gradient/matrix.h"
#include "runtime/thread_pool.h"

namespace kobolt {

/// Multi-head attention of sequences that lie one after another in the same matrices:
/// softmax(q . K^T / sqrt(head_dim)) . V in each sequence and head, and its gradient. Probabilities
/// are not kept but computed again on the way back, since they are the only thing that grows with
/// the square of a sequence's length.
class Attention {
 public:
  explicit Attention(ThreadPool& pool);

  struct Shape {
    int heads = 0;
    int head_dim = 0;
    bool causal = false;  ///< position i sees the keys 0 to i
  };
  /// Where sequences begin: sequence s has the rows [starts[s], starts[s + 1]).
  struct Sequences {
    std::span<const int> queries;
    std::span<const int> keys;
  };
  /// All [rows, heads * head_dim].
  struct Projections {
    Matrix q;
    Matrix k;
    Matrix v;
  };

  /// Returns [rows of q, heads * head_dim].
  Matrix forward(const Shape& shape, const Sequences& sequences, const Projections& input);
  /// The gradients of q, k and v from that of forward()'s result.
  Projections backward(const Shape& shape, const Sequences& sequences, const Projections& input,
                       const Matrix& dcontext);

 private:
  template <typename Body>
  void for_each_head(const Shape& shape, const Sequences& sequences, const Body& body);

  ThreadPool& pool_;
  std::vector<AlignedVector<float>> scratch_;  ///< one a thread
};

}  // namespace kobolt
