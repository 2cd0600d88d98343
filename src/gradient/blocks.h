#pragma once

#include "gradient/attention.h"
#include "gradient/matrix.h"
#include "gradient/parameters.h"
#include "gradient/products.h"
#include "kobolt/model.h"

namespace kobolt {

struct AttentionBlock {
  LinearParameters q;
  LinearParameters k;
  LinearParameters v;
  LinearParameters out;
  NormParameters norm;
  Attention::Shape shape;
};

struct FeedForwardBlock {
  LinearParameters fc1;
  LinearParameters fc2;
  NormParameters norm;
};

/// What a block keeps of its way forward for its way back.
struct ResidualTape {
  Matrix input;         ///< what the block's function read
  Matrix unnormalized;  ///< what its norm read
};

struct AttentionTape {
  ResidualTape residual;
  Attention::Projections projections;
  Matrix context;
};

struct FeedForwardTape {
  ResidualTape residual;
  Matrix hidden;  ///< before the activation
  Matrix activated;
};

/// Runs the blocks that layers are made of, x += f(x) with a norm before f (pre-norm models) or
/// after the sum, forward and back. On the way back dx comes in as the gradient of the block's
/// result and leaves as that of its input.
class Blocks {
 public:
  Blocks(const ModelConfig& config, ThreadPool& pool)
      : config_(config), products_(pool), attention_(pool) {}

  [[nodiscard]] Products& products() { return products_; }

  /// `memory` is what keys and values are made of: the encoder's result in cross-attention, null in
  /// self-attention, where it is the block's own input.
  void attention(const AttentionBlock& block, const Attention::Sequences& sequences,
                 const Matrix* memory, Matrix& x, AttentionTape& tape);
  /// Adds to `dmemory`, null where `memory` is.
  void attention_backward(const AttentionBlock& block, const Attention::Sequences& sequences,
                          const Matrix* memory, const AttentionTape& tape, Matrix& dx,
                          Matrix* dmemory);
  void feed_forward(const FeedForwardBlock& block, Matrix& x, FeedForwardTape& tape);
  void feed_forward_backward(const FeedForwardBlock& block, const FeedForwardTape& tape,
                             Matrix& dx);

  void normalize(const NormParameters& norm, Matrix& x);
  /// `unnormalized` is what normalize() was given.
  void normalize_backward(const NormParameters& norm, const Matrix& unnormalized, Matrix& dx);

 private:
  template <typename Function>
  void residual(const NormParameters& norm, Matrix& x, ResidualTape& tape, const Function& f);
  template <typename Function>
  void residual_backward(const NormParameters& norm, const ResidualTape& tape, Matrix& dx,
                         const Function& f);

  const ModelConfig& config_;
  Products products_;
  Attention attention_;
};

/// x += y, of the same shape.
void add(const Matrix& y, Matrix& x);
Matrix zeros(int rows, int columns);

}  // namespace kobolt
