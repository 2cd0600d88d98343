#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "compile/compile_to_memory.h"
#include "runtime/engine.h"

namespace kobolt {

using LogitRows = std::vector<std::vector<float>>;

/// What the compiled model says after each of `decoder` for one document.
inline LogitRows engine_logits(const Model& model, Precision precision,
                               const std::vector<std::int32_t>& document = {5, 6, 7, 8, 9, 10},
                               const std::vector<std::int32_t>& decoder = {3, 20, 21}) {
  ThreadPool pool(2);
  Engine engine(compile_to_memory(model, {.precision = precision}), pool, KvCache::fp32);
  const std::vector<std::vector<std::int32_t>> documents = {document};
  const DocumentHandle handle = engine.encode(documents, 1, static_cast<int>(decoder.size()))[0];
  LogitRows rows;
  for (const std::int32_t token : decoder) {
    rows.emplace_back(static_cast<std::size_t>(engine.vocab_size()));
    engine.step(std::vector<StepRow>{{.document = handle, .token = token}}, rows.back());
  }
  return rows;
}

/// Largest difference relative to the largest magnitude.
inline double logits_difference(const LogitRows& found, const LogitRows& expected) {
  double largest = 0;
  double scale = 0;
  for (std::size_t row = 0; row < expected.size(); ++row) {
    for (std::size_t i = 0; i < expected[row].size(); ++i) {
      const double error = std::abs(static_cast<double>(found[row][i]) - expected[row][i]);
      largest = error <= largest ? largest : error;
      scale = std::max(scale, std::abs(static_cast<double>(expected[row][i])));
    }
  }
  return std::isnan(largest) ? INFINITY : largest / scale;
}

}  // namespace kobolt
