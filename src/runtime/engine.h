#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "format/engine_file.h"
#include "runtime/backend.h"
#include "runtime/document.h"
#include "runtime/executor.h"
#include "runtime/thread_pool.h"
#include "runtime/weights.h"

namespace kobolt {

/// The embedded CPU engine: runs an engine file. Not thread-safe.
class Engine : public Backend {
 public:
  /// Throws Error(corrupt) when the file lacks a section. `pool` outlives the engine.
  Engine(std::shared_ptr<const EngineFile> file, ThreadPool& pool);

  [[nodiscard]] const ModelConfig& config() const { return config_; }
  [[nodiscard]] int vocab_size() const override { return config_.vocab_size; }
  [[nodiscard]] int max_positions() const override { return config_.max_positions; }
  std::vector<DocumentHandle> encode(std::span<const std::vector<std::int32_t>> documents,
                                     int max_rows, int max_length) override;
  void step(std::span<const StepRow> rows, std::span<float> logits) override;
  void release(DocumentHandle document) override;

  /// The encoder alone: hidden states of the documents one after another, [tokens, d_model],
  /// written to `hidden`. Throws Error(invalid_argument) for an empty or too long document or an
  /// id outside the vocabulary.
  void encode_hidden(std::span<const std::vector<std::int32_t>> documents, float* hidden);

 private:
  // Token embedding times its factor plus position, for rows i in [0, m), into x_; then the
  // embedding norm where the model has one.
  struct TokenAt {
    std::int32_t token;
    std::int32_t position;
  };
  void embed(const SideWeights& side, std::span<const TokenAt> tokens, float* x);
  void check(std::span<const std::vector<std::int32_t>> documents) const;
  void encoder_layer(int layer, std::span<const std::vector<std::int32_t>> documents, int tokens,
                     float* x);
  void encoder_attention(const LayerConfig& layer,
                         std::span<const std::vector<std::int32_t>> documents);
  // y = x + block(x) around a block's two halves, for post-norm and pre-norm alike.
  Operand block_input(const Norm& norm, float* x, int m);
  void block_output(const Norm& norm, float* x, int m);
  void feed_forward(const LayerWeights& weights, float* x, int m);
  void store_cross(std::span<const std::vector<std::int32_t>> documents,
                   std::span<const DocumentHandle> handles, const float* hidden, int tokens);
  void decoder_layer(int layer, std::span<const StepRow> rows, float* x);
  void self_attention(int layer, std::span<const StepRow> rows);
  void cross_attention(int layer, std::span<const StepRow> rows);
  DocumentHandle acquire();
  Document& document(DocumentHandle handle);

  ModelConfig config_;
  EngineWeights weights_;
  Executor executor_;
  float embedding_scale_ = 1.0F;

  std::vector<std::unique_ptr<Document>> documents_;
  std::vector<bool> in_use_;

  // Activations, kept from call to call.
  AlignedVector<float> x_;        // residual stream [m, d_model]
  AlignedVector<float> normed_;   // its norm, in pre-norm models
  AlignedVector<float> qkv_;      // projections [m, 3 * heads * head_dim]
  AlignedVector<float> context_;  // attention output [m, heads * head_dim]
  AlignedVector<float> ffn_;      // [m, ffn]
  std::vector<AlignedVector<float>> scratch_;  // one a thread
  std::vector<TokenAt> tokens_;
  struct Group {  // adjacent rows of one document in a step
    DocumentHandle document;
    int begin;
    int end;
  };
  std::vector<Group> groups_;
  std::vector<std::int32_t> parents_;
};

}  // namespace kobolt
