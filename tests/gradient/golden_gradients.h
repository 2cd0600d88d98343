#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gradient/labels.h"
#include "gradient/loss_gradient.h"

namespace kobolt {

inline const std::vector<std::string>& gradient_checkpoints() {
  static const std::vector<std::string> names = {
      "bart", "bart-untied", "marian", "marian-separate", "mbart", "mbart50", "pegasus"};
  return names;
}

inline Model gradient_checkpoint(const std::string& name) {
  return Model::load(std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / name);
}

/// What tests/golden/make_gradients.py wrote.
inline nlohmann::json golden_gradients(const std::string& name) {
  const auto file = std::filesystem::path(KOBOLT_TEST_DATA) / "gradient" / (name + ".json");
  return nlohmann::json::parse(std::ifstream(file));
}

inline std::vector<TrainingSample> golden_samples(const nlohmann::json& golden,
                                                  const Model& model) {
  std::vector<TrainingSample> samples;
  for (const nlohmann::json& one : golden.at("samples")) {
    TrainingSample& sample = samples.emplace_back();
    sample.document = one.at("document").get<std::vector<std::int32_t>>();
    sample.labels = one.at("labels").get<std::vector<std::int32_t>>();
    sample.decoder_input = shift_right(sample.labels, model);
  }
  return samples;
}

/// Every matrix that has a gradient.
inline std::vector<std::string> all_matrices(const Model& model) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : model.tensors) {
    if (tensor.shape.size() == 2 && name != "final_logits_bias") names.push_back(name);
  }
  return names;
}

}  // namespace kobolt
