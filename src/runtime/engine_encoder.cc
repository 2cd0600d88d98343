#include <algorithm>
#include <atomic>
#include <numeric>

#include "runtime/engine.h"
#include "runtime/head_attention.h"
#include "runtime/streams.h"
#include "runtime/trace_cost.h"
#include "runtime/trace_scope.h"

namespace kobolt {
namespace {

// Tokens encoded in one pass over the layers. Enough rows that reading the weights (from memory,
// once a pass) is a few percent of the work, few enough that activations stay small beside the
// model.
constexpr int kTokensPerPass = 1024;
// Threads with passes of their own wait for nobody, where threads that share one meet after each
// product; but weights are then read for fewer tokens.
constexpr std::size_t kTokensPerOwnPass = 512;
// The most by which the threads' passes may differ from an even share.
constexpr double kUneven = 1.05;

using Documents = std::span<const std::vector<std::int32_t>>;

}  // namespace

std::vector<Engine::Pass> Engine::passes(Documents documents, std::size_t tokens_per_pass) {
  std::vector<Pass> passes;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::size_t size = documents[i].size();
    if (passes.empty() || passes.back().tokens + size > tokens_per_pass)
      passes.push_back({i, i, 0});
    passes.back().end = i + 1;
    passes.back().tokens += size;
  }
  return passes;
}

void Engine::encode_passes(Documents documents, const PassBody& body) {
  ThreadPool& pool = executor_.pool();
  const int threads = pool.threads();
  // Not within a stream, whose engine would make engines of its own.
  const bool alone = pool.free_threads() == threads;
  if (threads > 1 && threads <= kMostStreams && alone && trace_ == nullptr &&
      !executor_.observed()) {
    const std::vector<Pass> own = passes(documents, kTokensPerOwnPass);
    std::vector<std::size_t> shares(static_cast<std::size_t>(threads));
    for (const Pass& pass : own) *std::ranges::min_element(shares) += pass.tokens;
    const auto all =
        static_cast<double>(std::accumulate(shares.begin(), shares.end(), std::size_t{0}));
    if (static_cast<double>(std::ranges::max(shares)) * threads <= kUneven * all) {
      reserve_siblings(threads);
      std::atomic<std::size_t> next{0};
      run_streams(pool, threads, [&](int stream) {
        for (std::size_t i = next++; i < own.size(); i = next++) {
          body(sibling(stream), own[i]);
          if (stream > 0 && pool.turn_wanted()) return;
        }
      });
      return;
    }
  }
  for (const Pass& pass : passes(documents, kTokensPerPass)) body(*this, pass);
}

void Engine::encode_hidden(Documents documents, float* hidden) {
  check(documents);
  const TraceScope scope(trace_, phase_ = Phase::encode);
  const auto d = static_cast<std::size_t>(config_.d_model);
  std::vector<std::size_t> starts;
  std::size_t tokens = 0;
  for (const auto& document : documents) {
    starts.push_back(tokens);
    tokens += document.size();
  }
  encode_passes(documents, [&](Engine& engine, const Pass& pass) {
    engine.run_encoder(documents.subspan(pass.begin, pass.end - pass.begin));
    std::copy_n(engine.x_.data(), pass.tokens * d, hidden + starts[pass.begin] * d);
  });
}

std::vector<DocumentHandle> Engine::encode(Documents documents, int max_rows, int max_length) {
  check(documents);
  const TraceScope scope(trace_, phase_ = Phase::encode);
  std::vector<DocumentHandle> handles;
  std::vector<Document*> states;
  for (const auto& document : documents) {
    handles.push_back(acquire());
    states.push_back(&this->document(handles.back()));
    states.back()->reset(config_, kv_cache_, static_cast<int>(document.size()), max_rows,
                         std::min(max_length, config_.max_positions));
  }
  encode_passes(documents, [&](Engine& engine, const Pass& pass) {
    engine.run_encoder(documents.subspan(pass.begin, pass.end - pass.begin));
    engine.store_cross(std::span(states).subspan(pass.begin, pass.end - pass.begin));
  });
  reserve_steps();
  return handles;
}

void Engine::run_encoder(Documents documents) {
  tokens_.clear();
  starts_.clear();
  for (const auto& document : documents) {
    starts_.push_back(static_cast<int>(tokens_.size()));
    for (std::size_t i = 0; i < document.size(); ++i) {
      tokens_.push_back({document[i], static_cast<std::int32_t>(i)});
    }
  }
  Operand carried = embed(weights_.encoder);
  for (std::size_t layer = 0; layer < weights_.encoder.layers.size(); ++layer) {
    layer_ = static_cast<int>(layer);
    carried = encoder_layer(layer_, documents, carried);
  }
  layer_ = -1;
  finish(weights_.encoder);
}

Operand Engine::encoder_layer(int layer, Documents documents, const Operand& carried) {
  const LayerConfig& shape = config_.encoder_layers[static_cast<std::size_t>(layer)];
  const LayerWeights& weights = weights_.encoder.layers[static_cast<std::size_t>(layer)];
  const int d = config_.d_model;
  const int width = shape.self_heads * shape.head_dim;
  float* qkv = reserve(qkv_, static_cast<std::size_t>(m_) * static_cast<std::size_t>(3 * width));
  reserve(context_, static_cast<std::size_t>(m_) * static_cast<std::size_t>(width));
  multiply("self in", enter(weights.self_norm, carried), weights.qkv, {.y = qkv, .ldy = 3 * width});
  encoder_attention(shape, documents, attention_format(weights.qkv));
  multiply("self out", executor_.operand(context_.data(), width, m_, width), weights.self_out,
           {.y = x_.data(), .ldy = d, .residual = x_.data()});
  return feed_forward(weights, leave(weights.self_norm));
}

void Engine::encoder_attention(const LayerConfig& layer, Documents documents, RowFormat format) {
  const int heads = layer.self_heads;
  const int head_dim = layer.head_dim;
  const int width = heads * head_dim;
  const std::ptrdiff_t ld = 3 * static_cast<std::ptrdiff_t>(width);
  Cost cost{.arithmetic = arithmetic_of(format)};
  for (const auto& document : documents) {
    const auto length = static_cast<double>(document.size());
    cost.operations += 4 * length * length * width;
    cost.bytes += 4 * length * width * sizeof(float);
  }
  const TraceScope scope(trace_, phase_, "self attention", layer_, cost);
  executor_.pool().parallel_for(
      static_cast<int>(documents.size()) * heads, [&](int task, int thread) {
        const auto which = static_cast<std::size_t>(task / heads);
        const int head = task % heads;
        const HeadAttention attention(static_cast<int>(documents[which].size()), head_dim, format);
        const float* q = qkv_.data() + starts_[which] * ld + head * head_dim;
        float* out =
            context_.data() + static_cast<std::ptrdiff_t>(starts_[which]) * width + head * head_dim;
        attention.attend(q, q + width, q + 2 * static_cast<std::ptrdiff_t>(width), ld, out, width,
                         scratch(thread, attention.scratch()));
      });
}

void Engine::store_cross(std::span<Document* const> documents) {
  const int d = config_.d_model;
  const Operand hidden = executor_.operand(x_.data(), d, m_, d);
  for (std::size_t i = 0; i < weights_.decoder.layers.size(); ++i) {
    const int layer = static_cast<int>(i);
    const LayerConfig& shape = config_.decoder_layers[i];
    const int heads = shape.cross_heads;
    if (heads == 0) continue;
    const int head_dim = shape.head_dim;
    const int width = heads * head_dim;
    const std::ptrdiff_t ld = 2 * static_cast<std::ptrdiff_t>(width);
    float* kv = reserve(qkv_, static_cast<std::size_t>(m_) * static_cast<std::size_t>(ld));
    layer_ = layer;  // of the decoder, whose keys and values they are
    multiply("cross keys, values", hidden, weights_.decoder.layers[i].cross_kv,
             {.y = kv, .ldy = ld});
    const TraceScope scope(trace_, phase_, "pack keys, values", layer_,
                           {.bytes = 2.0 * m_ * static_cast<double>(ld) * sizeof(float)});
    const int tasks = static_cast<int>(documents.size()) * heads;
    executor_.pool().parallel_for(tasks, [&](int task, int thread) {
      const auto which = static_cast<std::size_t>(task / heads);
      const int head = task % heads;
      Document& to = *documents[which];
      const float* k = kv + starts_[which] * ld + head * head_dim;
      to.store_cross(layer, head, k, k + width, ld, scratch(thread, to.store_scratch(layer)));
    });
  }
  layer_ = -1;
}

}  // namespace kobolt
