#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gradient/blocks.h"
#include "gradient/embedding.h"

namespace kobolt {

/// The encoder or the decoder: embedding, layers, and the last norm where there is one.
class Stack {
 public:
  /// `side`: "encoder" or "decoder".
  Stack(const ModelConfig& config, const std::string& side, Parameters& parameters);

  struct LayerTape {
    AttentionTape self;
    AttentionTape cross;
    FeedForwardTape ffn;
  };
  struct Tape {
    TokenEmbedding::Tape embedding;
    std::vector<LayerTape> layers;
    Matrix unnormalized;  ///< where there is a last norm
  };
  /// What a stack reads besides its tokens: its own sequences, and for the decoder the encoder's
  /// result and sequences.
  struct Context {
    std::span<const int> starts;
    const Matrix* memory = nullptr;
    std::span<const int> memory_starts;
  };

  Matrix forward(std::span<const TokenEmbedding::Token> tokens, const Context& context,
                 Blocks& blocks, Tape& tape) const;
  /// Consumes dx, the gradient of forward()'s result, and adds to `dmemory`, that of the encoder's.
  void backward(const Context& context, const Tape& tape, Blocks& blocks, Matrix& dx,
                Matrix* dmemory) const;

  [[nodiscard]] const TokenEmbedding& embedding() const { return embedding_; }

 private:
  struct Layer {
    AttentionBlock self;
    std::optional<AttentionBlock> cross;
    FeedForwardBlock ffn;
  };

  TokenEmbedding embedding_;
  std::vector<Layer> layers_;
  std::optional<NormParameters> final_norm_;
};

}  // namespace kobolt
