#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gradient/blocks.h"

namespace kobolt {

/// What a side does with token ids before its layers: scale * table[id] + positions, and a norm in
/// some models.
class TokenEmbedding {
 public:
  /// `side`: "encoder" or "decoder".
  TokenEmbedding(const ModelConfig& config, const std::string& side, Parameters& parameters);
  TokenEmbedding(const TokenEmbedding&) = delete;
  TokenEmbedding& operator=(const TokenEmbedding&) = delete;
  ~TokenEmbedding() = default;

  struct Token {
    std::int32_t id;
    std::int32_t position;
  };
  struct Tape {
    std::vector<Token> tokens;
    Matrix unnormalized;  ///< where there is a norm
  };

  Matrix forward(std::span<const Token> tokens, Blocks& blocks, Tape& tape) const;
  /// Consumes dx. A token that serves as padding elsewhere has a gradient as others have, unlike in
  /// PyTorch, which leaves out its own choice of row (padding_idx).
  void backward(const Tape& tape, Blocks& blocks, Matrix& dx) const;

  /// The table, for tied output projections.
  [[nodiscard]] const MatrixParameter& table() const { return table_; }

 private:
  MatrixParameter table_;
  MatrixParameter positions_;
  std::vector<float> formula_;  ///< sinusoidal positions that no tensor holds
  int first_position_ = 0;      ///< row of position 0
  float scale_ = 1.0F;
  std::optional<NormParameters> norm_;
};

}  // namespace kobolt
