#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "format/engine_file.h"
#include "kobolt/trace.h"
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
  Engine(const std::shared_ptr<const EngineFile>& file, ThreadPool& pool,
         KvCache kv_cache = KvCache::automatic);

  [[nodiscard]] const ModelConfig& config() const { return config_; }
  [[nodiscard]] const EngineWeights& weights() const { return weights_; }
  /// Of every product of encoder and decoder. `observer` outlives the engine; null = nobody.
  void observe(LinearObserver* observer) { executor_.observe(observer); }
  /// Never automatic.
  [[nodiscard]] KvCache kv_cache() const { return kv_cache_; }
  /// Of all documents that there have been at once; released ones leave theirs to the next.
  [[nodiscard]] std::size_t kv_cache_bytes() const;
  [[nodiscard]] int vocab_size() const override { return config_.vocab_size; }
  [[nodiscard]] int max_positions() const override { return config_.max_positions; }
  std::vector<DocumentHandle> encode(std::span<const std::vector<std::int32_t>> documents,
                                     int max_rows, int max_length) override;
  void step(std::span<const StepRow> rows, std::span<float> logits) override;
  void step_summary(std::span<const StepRow> rows, int count,
                    std::span<LogitSummary> summaries) override;
  void logits_of(std::size_t row, std::span<float> logits) override;
  void release(DocumentHandle document) override;
  /// What it does is recorded there until the next call; null: nowhere.
  void set_trace(Trace* trace) { trace_ = trace; }

  /// Engine `stream` of those that can run beside each other (runtime/streams.h): this one for 0,
  /// else one with the same weights, threads and options and with documents of its own.
  Engine& sibling(int stream);
  /// Makes them, from one thread, before they are asked for.
  void reserve_siblings(int streams);

  /// Throws Error(invalid_argument) for an empty or too long document or an id outside the
  /// vocabulary.
  void encode_hidden(std::span<const std::vector<std::int32_t>> documents, float* hidden) override;

 private:
  struct TokenAt {
    std::int32_t token;
    std::int32_t position;
  };
  struct Group {  // adjacent rows of one document in a step
    DocumentHandle document;
    int begin;
    int end;
  };

  void check(std::span<const std::vector<std::int32_t>> documents) const;
  // tokens_ embedded into x_ [m, d_model], with positions and the embedding norm where there is
  // one. Like enter and leave below, returns what the next product reads.
  Operand embed(const SideWeights& side);
  // A block is x += f(x), its norm before it (pre_norm) or after it. `carried` is what leave of
  // the block before returned: in post-norm models already the input.
  Operand enter(const Norm& norm, const Operand& carried);
  Operand leave(const Norm& norm);
  void finish(const SideWeights& side);  // the norm after the last layer
  // The executor's product and norm (of the m_ rows of x_), each with an event in the trace.
  void multiply(const char* name, const Operand& operand, const Linear& linear,
                const Target& target);
  Operand normalize(const Norm& norm, float* to);
  Operand feed_forward(const LayerWeights& weights, const Operand& carried);

  struct Pass {  // of the encoder: adjacent documents [begin, end)
    std::size_t begin;
    std::size_t end;
    std::size_t tokens;
  };
  using PassBody = std::function<void(Engine&, const Pass&)>;
  static std::vector<Pass> passes(std::span<const std::vector<std::int32_t>> documents,
                                  std::size_t tokens_per_pass);
  // Calls body(engine, pass) for all documents: with all threads for one pass after another, or,
  // where that divides them evenly, each thread with passes and an engine of its own.
  void encode_passes(std::span<const std::vector<std::int32_t>> documents, const PassBody& body);
  void run_encoder(std::span<const std::vector<std::int32_t>> documents);
  Operand encoder_layer(int layer, std::span<const std::vector<std::int32_t>> documents,
                        const Operand& carried);
  void encoder_attention(const LayerConfig& layer,
                         std::span<const std::vector<std::int32_t>> documents, RowFormat format);
  // Keys and values for the documents of the pass before.
  void store_cross(std::span<Document* const> documents);

  // Everything of a step but the output projection; x_ keeps what that reads.
  Operand decode(std::span<const StepRow> rows);
  void begin_step(std::span<const StepRow> rows);
  Operand decoder_layer(int layer, const Operand& carried);
  void self_attention(int layer);
  void cross_attention(int layer);

  // Makes room for steps of all documents in use, so that decoding allocates nothing.
  void reserve_steps();
  DocumentHandle acquire();
  Document& document(DocumentHandle handle) {
    return *documents_[static_cast<std::size_t>(handle)];
  }
  float* scratch(int thread, std::size_t size) {
    return reserve(scratch_[static_cast<std::size_t>(thread)], size);
  }

  std::vector<std::unique_ptr<Engine>> siblings_;
  ModelConfig config_;
  KvCache kv_cache_;
  EngineWeights weights_;
  Executor executor_;
  float embedding_scale_ = 1.0F;
  // What the next event belongs to.
  Trace* trace_ = nullptr;
  Phase phase_ = Phase::encode;
  int layer_ = -1;

  std::vector<std::unique_ptr<Document>> documents_;
  std::vector<bool> in_use_;

  // Activations of m rows, kept from call to call.
  int m_ = 0;
  AlignedVector<float> x_;                     // residual stream [m, d_model]
  AlignedVector<float> normed_;                // its norm, in pre-norm models
  AlignedVector<float> qkv_;                   // projections [m, 3 * heads * head_dim]
  AlignedVector<float> context_;               // attention output [m, heads * head_dim]
  AlignedVector<float> ffn_;                   // [m, row_distance(ffn)]
  std::vector<AlignedVector<float>> scratch_;  // one a thread
  std::vector<TokenAt> tokens_;
  std::vector<int> starts_;  // first row of each document
  std::vector<Group> groups_;
  std::vector<const Group*> row_groups_;  // the group of each row
  std::vector<std::int32_t> parents_;
};

}  // namespace kobolt
