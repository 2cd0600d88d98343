#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kobolt/prune.h"
#include "prune/engine_logits.h"
#include "prune/pruned_model.h"

// Engines of pruned models compute what torch computes with its own masks.
namespace kobolt {
namespace {

using nlohmann::json;

LogitRows logits_of(const Model& model, Precision precision, const json& one) {
  return engine_logits(model, precision, one.at("document"), one.at("decoder"));
}

class PrunedEngine : public testing::TestWithParam<Precision> {
 protected:
  // Of weights rounded to the format, against weights that are not.
  static double tolerance() {
    switch (GetParam()) {
      case Precision::fp32:
        return 1e-4;
      case Precision::fp16:
        return 0.02;
      case Precision::bf16:
        return 0.1;
      case Precision::int8:
        return 0.3;
      case Precision::int4:
        break;
    }
    return 0.6;
  }
};

TEST_P(PrunedEngine, ComputesTheMaskedModel) {
  const json cases = json::parse(std::ifstream(KOBOLT_TEST_DATA "/prune/masks.json"));
  for (const json& one : cases) {
    Model model = pruned_model(one);
    const std::string what = one.at("checkpoint").get<std::string>() + one.at("steps").dump();
    const LogitRows masked = logits_of(model, GetParam(), one);
    const LogitRows expected = one.at("logits");
    // With 4 bits even the dense model of such random weights is another one.
    if (GetParam() != Precision::int4) {
      EXPECT_LT(logits_difference(masked, expected), tolerance()) << what;
    }
    // Zeros of a mask and zeros in the weights are the same to the last bit.
    Model zeros = model;
    for (const auto& [name, mask] : model.masks) {
      zeros.tensors.at(name) = model.effective_tensor(name);
    }
    zeros.masks.clear();
    EXPECT_EQ(logits_of(zeros, GetParam(), one), masked) << what;
    // What vanishes leaves sums in another order and, in integers, other scales.
    make_permanent(model);
    EXPECT_LT(logits_difference(logits_of(model, GetParam(), one), masked), tolerance()) << what;
  }
}

INSTANTIATE_TEST_SUITE_P(Every, PrunedEngine,
                         testing::Values(Precision::fp32, Precision::fp16, Precision::bf16,
                                         Precision::int8, Precision::int4),
                         [](const auto& test) { return std::string(name_of(test.param)); });

}  // namespace
}  // namespace kobolt
