#include "gradient/embedding.h"

#include <cmath>

#include "model/positions.h"

namespace kobolt {

TokenEmbedding::TokenEmbedding(const ModelConfig& config, const std::string& side,
                               Parameters& parameters) {
  const std::string prefix = "model." + side + ".";
  table_ = parameters.matrix(config.shared_embedding ? "model.shared.weight"
                                                     : prefix + "embed_tokens.weight");
  const std::string positions = prefix + "embed_positions.weight";
  if (config.positions == Positions::sinusoidal && !parameters.has(positions)) {
    formula_ = sinusoidal_positions(config.max_positions, config.d_model);
    positions_ = {
        .values = formula_.data(), .rows = config.max_positions, .columns = config.d_model};
  } else {
    positions_ = parameters.matrix(positions);
  }
  if (config.positions == Positions::learned_offset2) first_position_ = 2;
  if (config.scale_embedding) scale_ = std::sqrt(static_cast<float>(config.d_model));
  if (config.embedding_norm) norm_ = parameters.norm(prefix + "layernorm_embedding");
}

Matrix TokenEmbedding::forward(std::span<const Token> tokens, Blocks& blocks, Tape& tape) const {
  tape.tokens.assign(tokens.begin(), tokens.end());
  Matrix x(static_cast<int>(tokens.size()), table_.columns);
  for (int i = 0; i < x.rows; ++i) {
    const Token token = tokens[static_cast<std::size_t>(i)];
    const float* word = table_.row(token.id);
    const float* position = positions_.row(first_position_ + token.position);
    float* row = x.row(i);
    for (int j = 0; j < x.columns; ++j) row[j] = scale_ * word[j] + position[j];
  }
  if (norm_) {
    tape.unnormalized = x;
    blocks.normalize(*norm_, x);
  }
  return x;
}

void TokenEmbedding::backward(const Tape& tape, Blocks& blocks, Matrix& dx) const {
  if (table_.gradient == nullptr && positions_.gradient == nullptr) return;
  if (norm_) blocks.normalize_backward(*norm_, tape.unnormalized, dx);
  for (int i = 0; i < dx.rows; ++i) {
    const Token token = tape.tokens[static_cast<std::size_t>(i)];
    const float* row = dx.row(i);
    if (table_.gradient != nullptr) {
      float* word = table_.gradient_row(token.id);
      for (int j = 0; j < dx.columns; ++j) word[j] += scale_ * row[j];
    }
    if (positions_.gradient != nullptr) {
      float* position = positions_.gradient_row(first_position_ + token.position);
      for (int j = 0; j < dx.columns; ++j) position[j] += row[j];
    }
  }
}

}  // namespace kobolt
