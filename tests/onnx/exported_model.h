#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "onnx/interpreter.h"
#include "onnx/model_reader.h"

namespace kobolt::onnx {

/// An exported folder, run as somebody who generates with a cache would run it.
class ExportedModel {
 public:
  using Ids = std::vector<std::int32_t>;
  using Arrays = std::map<std::string, Array>;

  explicit ExportedModel(const std::filesystem::path& folder)
      : encoder_(read_model(folder / "encoder_model.onnx").model),
        first_(read_model(folder / "decoder_model.onnx").model),
        later_(read_model(folder / "decoder_with_past_model.onnx").model) {}

  /// Documents in one batch, the shorter ones padded. Returns last_hidden_state.
  const Array& encode(const std::vector<Ids>& documents) {
    std::size_t width = 0;
    for (const Ids& document : documents) width = std::max(width, document.size());
    Array ids{
        .shape = {static_cast<std::int64_t>(documents.size()), static_cast<std::int64_t>(width)}};
    mask_.shape = ids.shape;
    for (const Ids& document : documents) {
      for (std::size_t i = 0; i < width; ++i) {
        ids.values.push_back(i < document.size() ? document[i] : 3);
        mask_.values.push_back(i < document.size() ? 1 : 0);
      }
    }
    hidden_ =
        evaluate(encoder_, {{"input_ids", ids}, {"attention_mask", mask_}}).at("last_hidden_state");
    return hidden_;
  }

  /// Logits [documents, tokens, vocabulary] after the same tokens for each document.
  Array start(const Ids& tokens) {
    cache_ = evaluate(first_, {{"input_ids", for_all(tokens)},
                               {"encoder_hidden_states", hidden_},
                               {"encoder_attention_mask", mask_}});
    return cache_.at("logits");
  }

  /// Gives graphs of a fixed cache, which start() has filled the beginning of, room for `length`
  /// tokens.
  void make_room(std::int64_t length) {
    for (auto& [name, value] : cache_) {
      if (name.find(".decoder.") == std::string::npos) continue;
      const auto width = static_cast<std::size_t>(value.shape[3]);
      const auto old = static_cast<std::size_t>(value.shape[2]);
      Array roomy{.shape = {value.shape[0], value.shape[1], length, value.shape[3]}};
      for (std::size_t at = 0; at < value.values.size(); at += old * width) {
        const auto from = value.values.begin() + static_cast<std::ptrdiff_t>(at);
        roomy.values.insert(roomy.values.end(), from,
                            from + static_cast<std::ptrdiff_t>(old * width));
        roomy.values.resize(roomy.values.size() + (static_cast<std::size_t>(length) - old) * width);
      }
      value = std::move(roomy);
    }
  }

  /// The same for a token at `position`, for graphs of a fixed cache.
  Array step_at(std::int32_t token, int position) {
    position_ = Array{.shape = {1}, .values = {static_cast<double>(position)}};
    return step({token});
  }

  /// The same for tokens that follow.
  Array step(const Ids& tokens) {
    Arrays inputs = {{"input_ids", for_all(tokens)}, {"encoder_attention_mask", mask_}};
    if (position_) inputs["cache_position"] = *position_;
    for (const ValueDef& input : later_.inputs) {
      const std::string past = "past_key_values";
      if (!input.name.starts_with(past)) continue;
      inputs[input.name] = cache_.at("present" + input.name.substr(past.size()));
    }
    for (auto& [name, value] : evaluate(later_, std::move(inputs))) cache_[name] = value;
    return cache_.at("logits");
  }

 private:
  [[nodiscard]] Array for_all(const Ids& tokens) const {
    Array ids{.shape = {mask_.shape[0], static_cast<std::int64_t>(tokens.size())}};
    for (std::int64_t i = 0; i < mask_.shape[0]; ++i) {
      ids.values.insert(ids.values.end(), tokens.begin(), tokens.end());
    }
    return ids;
  }

  ModelDef encoder_;
  ModelDef first_;
  ModelDef later_;
  Array mask_;
  Array hidden_;
  Arrays cache_;
  std::optional<Array> position_;
};

}  // namespace kobolt::onnx
