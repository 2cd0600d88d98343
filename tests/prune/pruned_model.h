#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "kobolt/error.h"
#include "kobolt/prune.h"

namespace kobolt {

inline Model checkpoint(const std::string& name) {
  return Model::load(std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / name);
}

/// The checkpoint of a case of tests/golden/make_pruning.py after its steps.
inline Model pruned_model(const nlohmann::json& one) {
  Model model = checkpoint(one.at("checkpoint"));
  for (const nlohmann::json& step : one.at("steps")) {
    PruningOptions options{.method = pruning_method_from_name(step.at("method").get<std::string>()),
                           .amount = step.at("amount")};
    if (step.contains("dim")) {
      options.dim = step.at("dim");
      options.norm = norm_from_name(step.at("norm").get<std::string>());
    }
    options.targets.threads = 2;
    ModelPruner(model, options).prune();
  }
  return model;
}

/// What is said when bart is pruned with `options`, which must leave it without masks.
inline std::string refused_pruning(const PruningOptions& options) {
  Model model = checkpoint("bart");
  try {
    ModelPruner(model, options).prune();
  } catch (const Error& error) {
    EXPECT_TRUE(model.masks.empty());
    return error.what();
  }
  return "nothing was refused";
}

}  // namespace kobolt
