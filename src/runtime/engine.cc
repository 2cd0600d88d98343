#include "runtime/engine.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "kobolt/error.h"
#include "runtime/embedding.h"
#include "runtime/trace_cost.h"
#include "runtime/trace_scope.h"

namespace kobolt {

Engine::Engine(const std::shared_ptr<const EngineFile>& file, ThreadPool& pool, KvCache kv_cache)
    : config_(file->metadata().config),
      kv_cache_(settled(kv_cache, file->metadata().precision)),
      weights_(EngineWeights::bind(file)),
      executor_(pool, weights_.row_format),
      scratch_(static_cast<std::size_t>(pool.threads())) {
  // Chosen here, where a wrong KOBOLT_ISA can be reported, and not first inside a worker.
  (void)kernels::instruction_set();
  if (config_.scale_embedding) embedding_scale_ = std::sqrt(static_cast<float>(config_.d_model));
}

Engine& Engine::sibling(int stream) {
  return stream == 0 ? *this : *siblings_[static_cast<std::size_t>(stream) - 1];
}

void Engine::reserve_siblings(int streams) {
  while (std::cmp_less(siblings_.size() + 1, streams)) {
    siblings_.push_back(std::make_unique<Engine>(weights_.file, executor_.pool(), kv_cache_));
  }
}

void Engine::check(std::span<const std::vector<std::int32_t>> documents) const {
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const auto& document = documents[i];
    if (document.empty() || std::cmp_greater(document.size(), config_.max_positions)) {
      throw Error(ErrorKind::invalid_argument, "a document of this length cannot be encoded",
                  {.field = fmt::format("document {}", i + 1),
                   .found = fmt::format("{} tokens", document.size()),
                   .expected = fmt::format("1 to {}", config_.max_positions)});
    }
    for (const std::int32_t token : document) {
      if (token < 0 || token >= config_.encoder_vocab_size) {
        throw Error(ErrorKind::invalid_argument, "a token id outside of the vocabulary",
                    {.field = fmt::format("document {}", i + 1),
                     .found = std::to_string(token),
                     .expected = fmt::format("0 to {}", config_.encoder_vocab_size - 1)});
      }
    }
  }
}

Operand Engine::embed(const SideWeights& side) {
  const int d = config_.d_model;
  m_ = static_cast<int>(tokens_.size());
  float* x = reserve(x_, static_cast<std::size_t>(m_) * static_cast<std::size_t>(d));
  {
    const TraceScope scope(trace_, phase_, "embed", layer_, rows_cost(m_, d, 2));
    executor_.rows(m_, 8LL * d, [&](int begin, int end, int) {
      for (int i = begin; i < end; ++i) {
        const TokenAt at = tokens_[static_cast<std::size_t>(i)];
        float* row = x + static_cast<std::ptrdiff_t>(i) * d;
        read_position(side.positions, at.position, d, row);
        add_embedding(side.embedding, at.token, embedding_scale_, row);
      }
    });
  }
  if (config_.embedding_norm) return normalize(side.embedding_norm, x);
  return config_.pre_norm ? Operand{} : executor_.operand(x, d, m_, d);
}

Operand Engine::enter(const Norm& norm, const Operand& carried) {
  if (!config_.pre_norm) return carried;
  const int d = config_.d_model;
  return normalize(norm,
                   reserve(normed_, static_cast<std::size_t>(m_) * static_cast<std::size_t>(d)));
}

Operand Engine::leave(const Norm& norm) {
  if (config_.pre_norm) return {};
  return normalize(norm, x_.data());
}

void Engine::finish(const SideWeights& side) {
  if (!config_.final_norm) return;
  normalize(side.final_norm, x_.data());
}

void Engine::multiply(const char* name, const Operand& operand, const Linear& linear,
                      const Target& target) {
  const TraceScope scope(trace_, phase_, name, layer_,
                         trace_ == nullptr ? Cost{} : product_cost(operand.m, linear));
  executor_.linear(operand, linear, target);
}

Operand Engine::normalize(const Norm& norm, float* to) {
  const int d = config_.d_model;
  const TraceScope scope(trace_, phase_, "norm", layer_, rows_cost(m_, d, 8));
  return executor_.normalize(norm, config_.layer_norm_epsilon, x_.data(), to, m_, d);
}

Operand Engine::feed_forward(const LayerWeights& weights, const Operand& carried) {
  const int d = config_.d_model;
  const int ffn = weights.fc1.n();
  const int ld = row_distance(ffn);
  float* hidden = reserve(ffn_, static_cast<std::size_t>(m_) * static_cast<std::size_t>(ld));
  multiply("ffn in", enter(weights.ffn_norm, carried), weights.fc1,
           {.y = hidden, .ldy = ld, .activation = config_.activation});
  multiply("ffn out", executor_.operand(hidden, ld, m_, ffn), weights.fc2,
           {.y = x_.data(), .ldy = d, .residual = x_.data()});
  return leave(weights.ffn_norm);
}

std::size_t Engine::kv_cache_bytes() const {
  std::size_t bytes = 0;
  for (const auto& document : documents_) bytes += document->bytes();
  for (const auto& sibling : siblings_) bytes += sibling->kv_cache_bytes();
  return bytes;
}

DocumentHandle Engine::acquire() {
  for (std::size_t i = 0; i < documents_.size(); ++i) {
    if (!in_use_[i]) {
      in_use_[i] = true;
      return static_cast<DocumentHandle>(i);
    }
  }
  documents_.push_back(std::make_unique<Document>());
  in_use_.push_back(true);
  return static_cast<DocumentHandle>(documents_.size() - 1);
}

void Engine::release(DocumentHandle document) {
  in_use_.at(static_cast<std::size_t>(document)) = false;
}

}  // namespace kobolt
