#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kobolt/calibration.h"
#include "kobolt/model.h"
#include "runtime/engine.h"
#include "runtime/long_document.h"
#include "runtime/thread_pool.h"

namespace kobolt {

/// A matrix of the engine and the layers of the model that it joins: they have one input.
struct LinearSite {
  const Linear* linear = nullptr;
  std::string section;               ///< "encoder.layers.0.self_attn.qkv"
  std::vector<std::string> modules;  ///< "encoder.layers.0.self_attn.q_proj", ...; "lm_head"
};

/// Documents on their way through an fp32 engine, to be looked at inside.
class ObservedRun {
 public:
  /// All but the model's tensors is copied; `pool` and `model` outlive the run. Throws
  /// Error(invalid_argument) where no document has any token.
  ObservedRun(const Model& model, std::span<const std::string> documents, ThreadPool& pool);

  /// Of the documents: rows that flow into encoder layers.
  [[nodiscard]] std::size_t tokens() const;
  /// In the order of computation, the output projection last.
  [[nodiscard]] std::vector<LinearSite> sites() const;
  /// Summarises the documents, greedily and with the settings of the checkpoint otherwise.
  void run(LinearObserver& observer, const std::function<void(const Progress&)>& progress);

 private:
  GenerationConfig generation_;
  EncodedDocuments documents_;
  Engine engine_;
};

}  // namespace kobolt
