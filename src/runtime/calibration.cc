#include "kobolt/calibration.h"

#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "compile/compile_to_memory.h"
#include "kobolt/error.h"
#include "runtime/engine.h"
#include "runtime/generate.h"
#include "runtime/long_document.h"

namespace kobolt {
namespace {

/// Adds up the squares of what flows into each linear layer of encoder and decoder.
class SquareSums : public LinearObserver {
 public:
  explicit SquareSums(const EngineWeights& weights) {
    add_side(weights.encoder, "model.encoder.layers.");
    add_side(weights.decoder, "model.decoder.layers.");
  }

  void before(const Operand& operand, const Linear& linear) override {
    const auto found = sums_.find(&linear);
    if (found == sums_.end()) return;  // the output projection
    std::vector<double>& sums = found->second.squares;
    for (int row = 0; row < operand.m; ++row) {
      const float* x = operand.x + row * operand.ldx;
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(x[i]) * x[i];
    }
  }

  /// The norms by the names of the tensors.
  [[nodiscard]] InputNorms norms() const {
    InputNorms norms;
    for (const auto& [linear, sums] : sums_) {
      std::vector<float> roots;
      for (const double sum : sums.squares) roots.push_back(static_cast<float>(std::sqrt(sum)));
      for (const std::string& tensor : sums.tensors) norms.emplace(tensor, roots);
    }
    return norms;
  }

 private:
  struct Sums {
    std::vector<std::string> tensors;  ///< that the engine joined
    std::vector<double> squares;
  };

  void add_side(const SideWeights& side, const std::string& prefix) {
    for (std::size_t i = 0; i < side.layers.size(); ++i) {
      const LayerWeights& layer = side.layers[i];
      const std::string name = prefix + std::to_string(i) + ".";
      add(layer.qkv, name, {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"});
      add(layer.self_out, name, {"self_attn.out_proj"});
      add(layer.cross_q, name, {"encoder_attn.q_proj"});
      add(layer.cross_kv, name, {"encoder_attn.k_proj", "encoder_attn.v_proj"});
      add(layer.cross_out, name, {"encoder_attn.out_proj"});
      add(layer.fc1, name, {"fc1"});
      add(layer.fc2, name, {"fc2"});
    }
  }

  void add(const Linear& linear, const std::string& layer,
           std::initializer_list<const char*> modules) {
    if (linear.n() == 0) return;  // no cross-attention in the encoder
    Sums& sums = sums_[&linear];
    sums.squares.resize(static_cast<std::size_t>(linear.k()));
    for (const char* module : modules) sums.tensors.push_back(layer + module + ".weight");
  }

  std::map<const Linear*, Sums> sums_;
};

}  // namespace

InputNorms collect_input_norms(const Model& model, std::span<const std::string> documents,
                               const CalibrationOptions& options) {
  const Tokenizer tokenizer = Tokenizer::load(model.tokenizer, model.config.family);
  const EncodedDocuments encoded =
      encode_documents(tokenizer, documents, model.config.max_positions, LongDocument::truncate);
  if (encoded.parts.empty()) {
    throw Error(ErrorKind::invalid_argument, "there is nothing to calibrate with",
                {.found = std::to_string(documents.size()) + " documents, none with any token"});
  }
  ThreadPool pool(options.threads);
  Engine engine(compile_to_memory(model, {.precision = Precision::fp32}), pool, KvCache::fp32);
  SquareSums sums(engine.weights());
  engine.observe(&sums);
  GenerationConfig generation = model.generation;
  generation.num_beams = 1;
  generation.num_return_sequences = 1;
  generation.do_sample = false;
  GenerateOptions generate_options;
  if (options.progress) {
    generate_options.progress = [&](std::size_t done) {
      options.progress({.done = done, .total = encoded.parts.size()});
    };
  }
  (void)generate(engine, encoded.parts, generation, generate_options);
  return sums.norms();
}

}  // namespace kobolt
