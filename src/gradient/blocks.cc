#include "gradient/blocks.h"

#include <algorithm>
#include <cassert>

#include "gradient/activation.h"
#include "gradient/normalization.h"
#include "kernels/kernels.h"

namespace kobolt {

void add(const Matrix& y, Matrix& x) {
  assert(x.values.size() == y.values.size());
  kernels::add(y.values.data(), x.values.data(), x.values.size());
}

Matrix zeros(int rows, int columns) {
  Matrix matrix(rows, columns);
  std::ranges::fill(matrix.values, 0.0F);
  return matrix;
}

void Blocks::normalize(const NormParameters& norm, Matrix& x) {
  products_.executor().normalize({.gamma = norm.gamma.data(), .beta = norm.beta.data()},
                                 config_.layer_norm_epsilon, x.values.data(), x.values.data(),
                                 x.rows, x.columns);
}

void Blocks::normalize_backward(const NormParameters& norm, const Matrix& unnormalized,
                                Matrix& dx) {
  constexpr std::int64_t kOperations = 24;  // on each element
  products_.executor().rows(dx.rows, kOperations * dx.columns, [&](int begin, int end, int) {
    layer_norm_backward(unnormalized.row(begin), end - begin, norm.gamma,
                        config_.layer_norm_epsilon, dx.row(begin));
  });
}

template <typename Function>
void Blocks::residual(const NormParameters& norm, Matrix& x, ResidualTape& tape,
                      const Function& f) {
  tape.input = x;
  if (config_.pre_norm) {
    tape.unnormalized = x;
    normalize(norm, tape.input);
  }
  add(f(tape.input), x);
  if (!config_.pre_norm) {
    tape.unnormalized = x;
    normalize(norm, x);
  }
}

template <typename Function>
void Blocks::residual_backward(const NormParameters& norm, const ResidualTape& tape, Matrix& dx,
                               const Function& f) {
  if (!config_.pre_norm) normalize_backward(norm, tape.unnormalized, dx);
  Matrix dinput = f(dx);
  if (config_.pre_norm) normalize_backward(norm, tape.unnormalized, dinput);
  add(dinput, dx);
}

void Blocks::attention(const AttentionBlock& block, const Attention::Sequences& sequences,
                       const Matrix* memory, Matrix& x, AttentionTape& tape) {
  residual(block.norm, x, tape.residual, [&](const Matrix& input) {
    const Matrix& source = memory == nullptr ? input : *memory;
    tape.projections.q = products_.linear(input, block.q);
    tape.projections.k = products_.linear(source, block.k);
    tape.projections.v = products_.linear(source, block.v);
    tape.context = attention_.forward(block.shape, sequences, tape.projections);
    return products_.linear(tape.context, block.out);
  });
}

void Blocks::attention_backward(const AttentionBlock& block, const Attention::Sequences& sequences,
                                const Matrix* memory, const AttentionTape& tape, Matrix& dx,
                                Matrix* dmemory) {
  residual_backward(block.norm, tape.residual, dx, [&](const Matrix& dy) {
    Matrix dcontext = zeros(tape.context.rows, tape.context.columns);
    products_.linear_backward(tape.context, block.out, dy, dcontext);
    const Attention::Projections gradient =
        attention_.backward(block.shape, sequences, tape.projections, dcontext);
    const Matrix& input = tape.residual.input;
    Matrix dinput = zeros(input.rows, input.columns);
    const Matrix& source = memory == nullptr ? input : *memory;
    Matrix& dsource = memory == nullptr ? dinput : *dmemory;
    products_.linear_backward(input, block.q, gradient.q, dinput);
    products_.linear_backward(source, block.k, gradient.k, dsource);
    products_.linear_backward(source, block.v, gradient.v, dsource);
    return dinput;
  });
}

void Blocks::feed_forward(const FeedForwardBlock& block, Matrix& x, FeedForwardTape& tape) {
  residual(block.norm, x, tape.residual, [&](const Matrix& input) {
    tape.hidden = products_.linear(input, block.fc1);
    tape.activated = tape.hidden;
    constexpr std::int64_t kOperations = 16;  // on each element
    Matrix& values = tape.activated;
    products_.executor().rows(
        values.rows, kOperations * values.columns, [&](int begin, int end, int) {
          kernels::activate(config_.activation, values.row(begin),
                            static_cast<std::size_t>(values.row(end) - values.row(begin)));
        });
    return products_.linear(values, block.fc2);
  });
}

void Blocks::feed_forward_backward(const FeedForwardBlock& block, const FeedForwardTape& tape,
                                   Matrix& dx) {
  residual_backward(block.norm, tape.residual, dx, [&](const Matrix& dy) {
    Matrix dhidden = zeros(tape.hidden.rows, tape.hidden.columns);
    products_.linear_backward(tape.activated, block.fc2, dy, dhidden);
    constexpr std::int64_t kOperations = 64;  // on each element: exp and erf
    products_.executor().rows(
        dhidden.rows, kOperations * dhidden.columns, [&](int begin, int end, int) {
          activation_backward(config_.activation, tape.hidden.row(begin), dhidden.row(begin),
                              static_cast<std::size_t>(dhidden.row(end) - dhidden.row(begin)));
        });
    const Matrix& input = tape.residual.input;
    Matrix dinput = zeros(input.rows, input.columns);
    products_.linear_backward(input, block.fc1, dhidden, dinput);
    return dinput;
  });
}

}  // namespace kobolt
