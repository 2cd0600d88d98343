#include <algorithm>

#include "runtime/engine.h"
#include "runtime/head_attention.h"
#include "runtime/trace_scope.h"

namespace kobolt {
namespace {

// Tokens encoded in one pass over the layers. Enough rows that reading the weights (from memory,
// once a pass) is a few percent of the work, few enough that activations stay small beside the
// model.
constexpr int kTokensPerPass = 1024;

using Documents = std::span<const std::vector<std::int32_t>>;

// Calls body(index of the first, documents) for runs of whole documents of about kTokensPerPass
// tokens.
template <typename Body>
void for_each_pass(Documents documents, Body&& body) {
  std::size_t begin = 0;
  while (begin < documents.size()) {
    std::size_t end = begin;
    std::size_t tokens = 0;
    while (end < documents.size() &&
           (end == begin || tokens + documents[end].size() <= kTokensPerPass)) {
      tokens += documents[end++].size();
    }
    body(begin, documents.subspan(begin, end - begin));
    begin = end;
  }
}

}  // namespace

void Engine::encode_hidden(Documents documents, float* hidden) {
  check(documents);
  const TraceScope scope(trace_, phase_ = Phase::encode);
  for_each_pass(documents, [&](std::size_t, Documents pass) {
    run_encoder(pass);
    hidden = std::copy_n(x_.data(), static_cast<std::ptrdiff_t>(m_) * config_.d_model, hidden);
  });
}

std::vector<DocumentHandle> Engine::encode(Documents documents, int max_rows, int max_length) {
  check(documents);
  const TraceScope scope(trace_, phase_ = Phase::encode);
  std::vector<DocumentHandle> handles;
  handles.reserve(documents.size());
  for (const auto& document : documents) {
    handles.push_back(acquire());
    this->document(handles.back())
        .reset(config_, kv_cache_, static_cast<int>(document.size()), max_rows,
               std::min(max_length, config_.max_positions));
  }
  for_each_pass(documents, [&](std::size_t first, Documents pass) {
    run_encoder(pass);
    store_cross(pass, std::span(handles).subspan(first, pass.size()));
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
  encoder_attention(shape, documents, weights.qkv.row_format() != RowFormat::floats);
  multiply("self out", executor_.operand(context_.data(), width, m_, width), weights.self_out,
           {.y = x_.data(), .ldy = d, .residual = x_.data()});
  return feed_forward(weights, leave(weights.self_norm));
}

void Engine::encoder_attention(const LayerConfig& layer, Documents documents, bool integer) {
  const int heads = layer.self_heads;
  const int head_dim = layer.head_dim;
  const int width = heads * head_dim;
  const std::ptrdiff_t ld = 3 * static_cast<std::ptrdiff_t>(width);
  Cost cost{.arithmetic = integer ? Arithmetic::pairs : Arithmetic::fp32};
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
        const HeadAttention attention(static_cast<int>(documents[which].size()), head_dim, integer);
        const float* q = qkv_.data() + starts_[which] * ld + head * head_dim;
        float* out =
            context_.data() + static_cast<std::ptrdiff_t>(starts_[which]) * width + head * head_dim;
        attention.attend(q, q + width, q + 2 * static_cast<std::ptrdiff_t>(width), ld, out, width,
                         scratch(thread, attention.scratch()));
      });
}

void Engine::store_cross(Documents documents, std::span<const DocumentHandle> handles) {
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
      Document& to = document(handles[which]);
      const float* k = kv + starts_[which] * ld + head * head_dim;
      to.store_cross(layer, head, k, k + width, ld, scratch(thread, to.store_scratch(layer)));
    });
  }
  layer_ = -1;
}

}  // namespace kobolt
