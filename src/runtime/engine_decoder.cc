#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "kobolt/error.h"
#include "runtime/engine.h"
#include "runtime/trace_cost.h"
#include "runtime/trace_scope.h"

namespace kobolt {

void Engine::step(std::span<const StepRow> rows, std::span<float> logits) {
  const TraceScope scope(trace_, phase_ = Phase::decode);
  const Operand hidden = decode(rows);
  multiply("output projection", hidden, weights_.lm_head,
           {.y = logits.data(), .ldy = config_.vocab_size});
}

void Engine::step_summary(std::span<const StepRow> rows, int count,
                          std::span<LogitSummary> summaries) {
  const TraceScope scope(trace_, phase_ = Phase::decode);
  const Operand hidden = decode(rows);
  const TraceScope projection(trace_, phase_, "output projection", layer_,
                              trace_ == nullptr ? Cost{} : product_cost(m_, weights_.lm_head));
  executor_.summarize(hidden, weights_.lm_head, count, summaries);
}

void Engine::logits_of(std::size_t row, std::span<float> logits) {
  const int d = config_.d_model;
  const float* hidden = x_.data() + row * static_cast<std::size_t>(d);
  executor_.linear(executor_.operand(hidden, d, 1, d), weights_.lm_head,
                   {.y = logits.data(), .ldy = config_.vocab_size});
}

void Engine::reserve_steps() {
  std::size_t rows = 0;
  std::size_t count = 0;
  std::size_t scratch_size = 0;
  std::size_t most_rows = 0;
  for (std::size_t i = 0; i < documents_.size(); ++i) {
    if (!in_use_[i]) continue;
    const Document& state = *documents_[i];
    ++count;
    rows += static_cast<std::size_t>(state.max_rows());
    most_rows = std::max(most_rows, static_cast<std::size_t>(state.max_rows()));
    for (std::size_t layer = 0; layer < config_.decoder_layers.size(); ++layer) {
      const LayerConfig& shape = config_.decoder_layers[layer];
      const auto self =
          static_cast<std::size_t>(shape.self_heads) * static_cast<std::size_t>(state.max_steps());
      const std::size_t cross =
          shape.cross_heads == 0 ? 0
                                 : state.cross_scratch(static_cast<int>(layer), state.max_rows());
      scratch_size = std::max({scratch_size, self, cross});
    }
  }
  int width = 0;  // of queries, keys and values
  int context = 0;
  int ffn = 0;
  for (std::size_t layer = 0; layer < config_.decoder_layers.size(); ++layer) {
    const LayerConfig& shape = config_.decoder_layers[layer];
    const int self = shape.self_heads * shape.head_dim;
    const int cross = shape.cross_heads * shape.head_dim;
    width = std::max({width, 3 * self, cross});
    context = std::max({context, self, cross});
    ffn = std::max(ffn, weights_.decoder.layers[layer].fc1.n());
  }
  const int d = config_.d_model;
  reserve(x_, rows * static_cast<std::size_t>(d));
  if (config_.pre_norm) reserve(normed_, rows * static_cast<std::size_t>(d));
  reserve(qkv_, rows * static_cast<std::size_t>(width));
  reserve(context_, rows * static_cast<std::size_t>(context));
  reserve(ffn_, rows * static_cast<std::size_t>(row_distance(ffn)));
  for (AlignedVector<float>& scratch : scratch_) reserve(scratch, scratch_size);
  tokens_.reserve(rows);
  row_groups_.reserve(rows);
  groups_.reserve(count);
  parents_.reserve(most_rows);
  executor_.reserve_rows(static_cast<int>(rows), std::max({d, context, ffn}));
}

Operand Engine::decode(std::span<const StepRow> rows) {
  begin_step(rows);
  Operand carried = embed(weights_.decoder);
  for (std::size_t layer = 0; layer < weights_.decoder.layers.size(); ++layer) {
    layer_ = static_cast<int>(layer);
    carried = decoder_layer(layer_, carried);
  }
  layer_ = -1;
  const int d = config_.d_model;
  if (config_.final_norm) {
    carried = normalize(weights_.decoder.final_norm, x_.data());
  } else if (config_.pre_norm) {
    carried = executor_.operand(x_.data(), d, m_, d);
  }
  for (const Group& group : groups_) document(group.document).end_step();
  return carried;
}

void Engine::begin_step(std::span<const StepRow> rows) {
  tokens_.clear();
  groups_.clear();
  const int count = static_cast<int>(rows.size());
  for (int begin = 0; begin < count;) {
    const DocumentHandle handle = rows[static_cast<std::size_t>(begin)].document;
    int end = begin;
    while (end < count && rows[static_cast<std::size_t>(end)].document == handle) ++end;
    groups_.push_back({handle, begin, end});
    begin = end;
  }
  for (const Group& group : groups_) {
    Document& state = document(group.document);
    if (group.end - group.begin > state.max_rows() || state.position() >= state.max_steps()) {
      throw Error(ErrorKind::invalid_argument, "a decoding step beyond what was reserved",
                  {.found = fmt::format("{} rows at position {}", group.end - group.begin,
                                        state.position()),
                   .expected = fmt::format("at most {} rows, {} positions", state.max_rows(),
                                           state.max_steps())});
    }
    parents_.clear();
    for (int i = group.begin; i < group.end; ++i) {
      const StepRow& row = rows[static_cast<std::size_t>(i)];
      if (row.token < 0 || row.token >= config_.vocab_size || row.parent < 0 ||
          row.parent >= state.row_count()) {
        throw Error(ErrorKind::invalid_argument, "a decoding step with an impossible row",
                    {.found = fmt::format("token {}, parent {}", row.token, row.parent),
                     .expected = fmt::format("token below {}, parent below {}", config_.vocab_size,
                                             state.row_count())});
      }
      tokens_.push_back({row.token, state.position()});
      parents_.push_back(row.parent);
    }
    state.begin_step(parents_.data(), group.end - group.begin);
  }
}

Operand Engine::decoder_layer(int layer, const Operand& carried) {
  const LayerConfig& shape = config_.decoder_layers[static_cast<std::size_t>(layer)];
  const LayerWeights& weights = weights_.decoder.layers[static_cast<std::size_t>(layer)];
  const int d = config_.d_model;
  const auto m = static_cast<std::size_t>(m_);
  const int self = shape.self_heads * shape.head_dim;
  const int cross = shape.cross_heads * shape.head_dim;
  reserve(context_, m * static_cast<std::size_t>(std::max(self, cross)));

  float* qkv = reserve(qkv_, m * static_cast<std::size_t>(3 * self));
  multiply("self in", enter(weights.self_norm, carried), weights.qkv, {.y = qkv, .ldy = 3 * self});
  self_attention(layer);
  multiply("self out", executor_.operand(context_.data(), self, m_, self), weights.self_out,
           {.y = x_.data(), .ldy = d, .residual = x_.data()});
  Operand next = leave(weights.self_norm);

  if (cross > 0) {
    float* q = reserve(qkv_, m * static_cast<std::size_t>(cross));
    multiply("cross in", enter(weights.cross_norm, next), weights.cross_q, {.y = q, .ldy = cross});
    cross_attention(layer);
    multiply("cross out", executor_.operand(context_.data(), cross, m_, cross), weights.cross_out,
             {.y = x_.data(), .ldy = d, .residual = x_.data()});
    next = leave(weights.cross_norm);
  }
  return feed_forward(weights, next);
}

void Engine::self_attention(int layer) {
  const LayerConfig& shape = config_.decoder_layers[static_cast<std::size_t>(layer)];
  const int width = shape.self_heads * shape.head_dim;
  const float scale = 1.0F / std::sqrt(static_cast<float>(shape.head_dim));
  std::int64_t longest = 0;
  Cost cost;
  row_groups_.clear();
  for (const Group& group : groups_) {
    Document& state = document(group.document);
    longest = std::max<std::int64_t>(longest, state.position() + 1);
    cost += attention_cost(group.end - group.begin, group.end - group.begin, state.position() + 1,
                           width, kv_cache_);
    for (int i = group.begin; i < group.end; ++i) {
      const float* k = qkv_.data() + static_cast<std::ptrdiff_t>(i) * 3 * width + width;
      state.store_self(layer, i - group.begin, k, k + width);
      row_groups_.push_back(&group);
    }
  }
  // A task is one head of one row: a beam's heads are independent, and one document alone has to
  // feed every thread.
  const int heads = shape.self_heads;
  const TraceScope scope(trace_, phase_, "self attention", layer_, cost);
  executor_.rows(m_ * heads, 4 * longest * shape.head_dim, [&](int begin, int end, int thread) {
    while (begin < end) {
      const int row = begin / heads;
      const int head = begin % heads;
      const int count = std::min(heads - head, end - begin);
      const Group& group = *row_groups_[static_cast<std::size_t>(row)];
      const Document& state = document(group.document);
      const std::ptrdiff_t offset = static_cast<std::ptrdiff_t>(head) * shape.head_dim;
      const auto positions = static_cast<std::size_t>(state.max_steps());
      state.attend_self(layer, row - group.begin, head, count,
                        qkv_.data() + static_cast<std::ptrdiff_t>(row) * 3 * width + offset, scale,
                        context_.data() + static_cast<std::ptrdiff_t>(row) * width + offset,
                        scratch(thread, static_cast<std::size_t>(heads) * positions));
      begin += count;
    }
  });
}

void Engine::cross_attention(int layer) {
  const LayerConfig& shape = config_.decoder_layers[static_cast<std::size_t>(layer)];
  const int heads = shape.cross_heads;
  const int width = heads * shape.head_dim;
  const float scale = 1.0F / std::sqrt(static_cast<float>(shape.head_dim));
  Cost cost;
  for (const Group& group : groups_) {
    // All beams of a document read one set of keys and values.
    cost += attention_cost(group.end - group.begin, 1, document(group.document).length(), width,
                           kv_cache_);
  }
  const TraceScope scope(trace_, phase_, "cross attention", layer_, cost);
  executor_.pool().parallel_for(
      static_cast<int>(groups_.size()) * heads, [&](int task, int thread) {
        const Group& group = groups_[static_cast<std::size_t>(task / heads)];
        const int head = task % heads;
        const Document& state = document(group.document);
        const int rows = group.end - group.begin;
        const std::ptrdiff_t offset =
            static_cast<std::ptrdiff_t>(group.begin) * width + head * shape.head_dim;
        state.attend_cross(layer, head, qkv_.data() + offset, width, rows, scale,
                           context_.data() + offset, width,
                           scratch(thread, state.cross_scratch(layer, rows)));
      });
}

}  // namespace kobolt
