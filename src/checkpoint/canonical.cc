#include "checkpoint/canonical.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/embedding_names.h"
#include "kobolt/error.h"
#include "model/layout.h"
#include "model/positions.h"

namespace kobolt {
namespace {

using Tensors = std::map<std::string, Tensor>;

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

// A checkpoint of the bare model (facebook/bart-large is one) has names without the prefix of the
// model with its output projection.
Tensors with_prefix(const Tensors& stored) {
  const bool prefixed = std::any_of(stored.begin(), stored.end(), [](const auto& entry) {
    return entry.first.starts_with("model.");
  });
  if (prefixed) return stored;
  Tensors renamed;
  for (const auto& [name, tensor] : stored) {
    const bool outside = name == kOutputProjection || name == "final_logits_bias";
    renamed.emplace(outside ? name : "model." + name, tensor);
  }
  return renamed;
}

bool same_values(const Tensor& a, const Tensor& b) {
  if (a.dtype != b.dtype || a.shape != b.shape || a.bytes.size() != b.bytes.size()) return false;
  return a.bytes.data() == b.bytes.data() ||
         std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
}

const Tensor* lookup(const Tensors& tensors, const char* name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

/// Decides which of the four embedding matrices are one.
///
/// transformers 5 ties those that the configuration calls tied, except where two are stored with
/// different values; a stored one stands in for one that is not. Where the configuration says
/// "not tied" it takes all four from the checkpoint. Checkpoints of transformers 4 then still lack
/// the token embeddings, which in its models were one object: shared stands in for them.
class EmbeddingResolver {
 public:
  EmbeddingResolver(Tensors& tensors, ModelConfig& config) : tensors_(tensors), config_(config) {}

  void resolve() {
    const Tensor* shared = config_.shared_embedding ? shared_matrix() : nullptr;
    const Tensor* encoder = first_of({lookup(tensors_, kEncoderEmbedding), shared});
    const Tensor* decoder = first_of({lookup(tensors_, kDecoderEmbedding), shared});
    if (!config_.shared_embedding && config_.tied_output) {
      decoder = first_of({decoder, lookup(tensors_, kOutputProjection)});
    }
    const Tensor* output = lookup(tensors_, kOutputProjection);
    if (output == nullptr && config_.tied_output) output = first_of({shared, decoder});
    if (encoder == nullptr || decoder == nullptr)
      return;  // the check against the layout reports it
    place(*encoder, *decoder, output);
  }

 private:
  static const Tensor* first_of(std::initializer_list<const Tensor*> candidates) {
    for (const Tensor* candidate : candidates) {
      if (candidate != nullptr) return candidate;
    }
    return nullptr;
  }

  [[nodiscard]] const Tensor* shared_matrix() const {
    const Tensor* output = config_.tied_output ? lookup(tensors_, kOutputProjection) : nullptr;
    return first_of({lookup(tensors_, kSharedEmbedding), output,
                     lookup(tensors_, kDecoderEmbedding), lookup(tensors_, kEncoderEmbedding)});
  }

  // The arguments lie in tensors_: what replaces them is put together before they go.
  void place(const Tensor& encoder, const Tensor& decoder, const Tensor* output) {
    config_.shared_embedding = same_values(encoder, decoder);
    config_.tied_output = output != nullptr && same_values(*output, decoder);
    Tensors embeddings;
    if (config_.shared_embedding) {
      embeddings.emplace(kSharedEmbedding, decoder);
    } else {
      embeddings.emplace(kEncoderEmbedding, encoder);
      embeddings.emplace(kDecoderEmbedding, decoder);
    }
    if (output != nullptr && !config_.tied_output) embeddings.emplace(kOutputProjection, *output);
    for (const char* name :
         {kSharedEmbedding, kEncoderEmbedding, kDecoderEmbedding, kOutputProjection})
      tensors_.erase(name);
    tensors_.merge(embeddings);
  }

  Tensors& tensors_;
  ModelConfig& config_;
};

// The sinusoidal table of a checkpoint is data like any other to transformers. Nearly always it is
// the formula's, and is dropped; where it is not (rounded to half precision), it stays.
void drop_formula_positions(Tensors& tensors, const ModelConfig& config) {
  if (config.positions != Positions::sinusoidal) return;
  constexpr float kFloatRounding = 1e-6F;
  std::vector<float> formula;
  for (const char* name :
       {"model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight"}) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) continue;
    const Tensor& table = found->second;
    if (table.shape != std::vector<std::int64_t>{config.max_positions, config.d_model} ||
        table.dtype != DType::f32) {
      continue;
    }
    if (formula.empty()) formula = sinusoidal_positions(config.max_positions, config.d_model);
    const std::vector<float> values = table.to_f32();
    const bool equal =
        std::equal(values.begin(), values.end(), formula.begin(),
                   [](float a, float b) { return std::abs(a - b) <= kFloatRounding; });
    if (equal) tensors.erase(found);
  }
}

/// Collects what is wrong with a set of tensors, to report it at once.
class LayoutCheck {
 public:
  LayoutCheck(const StoredWeights& stored, const ModelConfig& config)
      : stored_(stored), config_(config) {}

  void run(const Tensors& tensors) {
    std::map<std::string_view, const TensorSpec*> expected;
    const std::vector<TensorSpec> specs = expected_tensors(config_);
    for (const TensorSpec& spec : specs) {
      expected.emplace(spec.name, &spec);
      const Tensor* tensor = lookup(tensors, spec.name.c_str());
      if (tensor == nullptr) {
        if (spec.required) missing_.push_back(spec.name + " " + text_of(spec.shape));
      } else {
        compare(spec, *tensor);
      }
    }
    for (const auto& [name, tensor] : tensors) {
      if (!expected.contains(name)) left_over_.push_back(name + " " + text_of(tensor.shape));
    }
    report();
  }

 private:
  void compare(const TensorSpec& spec, const Tensor& tensor) {
    if (tensor.shape != spec.shape) {
      wrong_.push_back(spec.name + " is " + text_of(tensor.shape) + " instead of " +
                       text_of(spec.shape));
    } else if (tensor.dtype != DType::f32 && tensor.dtype != DType::f16 &&
               tensor.dtype != DType::bf16) {
      wrong_.push_back(spec.name + " is " + std::string(name_of(tensor.dtype)) +
                       " instead of F32, F16 or BF16");
    }
  }

  static std::string listed(const char* title, const std::vector<std::string>& items) {
    constexpr std::size_t kShown = 12;
    if (items.empty()) return "";
    std::string text = std::string(title) + ": ";
    for (std::size_t i = 0; i < std::min(items.size(), kShown); ++i) {
      if (i > 0) text += ", ";
      text += items[i];
    }
    if (items.size() > kShown) text += " and " + std::to_string(items.size() - kShown) + " more";
    return text + ". ";
  }

  void report() const {
    if (missing_.empty() && left_over_.empty() && wrong_.empty()) return;
    std::string text = listed("missing", missing_) + listed("wrong", wrong_) +
                       listed("not part of such a model", left_over_);
    text.erase(text.find_last_not_of(". ") + 1);
    throw Error(ErrorKind::corrupt,
                "the weights are not those of the " + std::string(name_of(config_.family)) +
                    " model that config.json describes; " + text,
                {.file = stored_.file, .hint = "check config.json against the weights"});
  }

  const StoredWeights& stored_;
  const ModelConfig& config_;
  std::vector<std::string> missing_;
  std::vector<std::string> left_over_;
  std::vector<std::string> wrong_;
};

}  // namespace

Tensors canonical_tensors(const StoredWeights& stored, ModelConfig& config) {
  Tensors tensors = with_prefix(stored.tensors);
  // Version markers that fairseq conversions left behind.
  tensors.erase("model.encoder.version");
  tensors.erase("model.decoder.version");
  EmbeddingResolver(tensors, config).resolve();
  drop_formula_positions(tensors, config);
  LayoutCheck(stored, config).run(tensors);
  return tensors;
}

}  // namespace kobolt
