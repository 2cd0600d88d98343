#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"
#include "kobolt/prune.h"
#include "model/layout.h"
#include "prune/engine_logits.h"
#include "prune/pruned_model.h"

// What vanishes when pruning is made permanent, and that nothing but size changes by it.
namespace kobolt {
namespace {

using testing::HasSubstr;

constexpr const char* kFamilies[] = {"bart", "bart-untied", "mbart", "marian", "pegasus"};

void expect_shapes_of_config(const Model& model) {
  for (const TensorSpec& spec : expected_tensors(model.config)) {
    if (!spec.required) continue;
    EXPECT_EQ(model.tensor(spec.name).shape, spec.shape) << spec.name;
  }
}

/// Prunes rows or columns [first, last) of a matrix by hand.
void prune_range(Model& model, const std::string& module, int dim, std::int64_t first,
                 std::int64_t last) {
  const std::string name = "model." + module + ".weight";
  const std::vector<std::int64_t> shape = model.tensor(name).shape;
  Mask& mask = model.masks.try_emplace(name, shape).first->second;
  for (std::int64_t i = 0; i < model.tensor(name).elements(); ++i) {
    const std::int64_t channel = dim == 0 ? i / shape[1] : i % shape[1];
    if (channel >= first && channel < last) mask.prune(static_cast<std::size_t>(i));
  }
}

class Permanent : public testing::TestWithParam<Precision> {
 protected:
  // The same function from other matrices: sums in another order, and where weights share a scale
  // or a rounded activation, that too.
  static double tolerance() {
    const bool integers = GetParam() == Precision::int8 || GetParam() == Precision::int4;
    return integers ? 0.15 : 1e-4;
  }
};

TEST_P(Permanent, HeadsAndNeuronsVanishAndNothingElseChanges) {
  for (const char* name : kFamilies) {
    Model model = checkpoint(name);
    unit_pruning(model, 0.5);
    const auto before = engine_logits(model, GetParam());
    const PruningStats masked = get_pruning_stats(model);
    const PermanentReport report = make_permanent(model);
    EXPECT_EQ(report.heads, 2 * 1 + 2 * (2 + 2)) << name;
    EXPECT_EQ(report.neurons, 2 * 16 + 2 * 12) << name;
    EXPECT_TRUE(report.stayed.empty()) << name;
    EXPECT_EQ(model.config.encoder_layers[1],
              (LayerConfig{.self_heads = 1, .head_dim = model.config.d_model / 2, .ffn = 16}));
    EXPECT_EQ(model.config.decoder_layers[0].cross_heads, 2);
    expect_shapes_of_config(model);
    const PruningStats stats = get_pruning_stats(model);
    EXPECT_EQ(stats.total_params, masked.total_params);
    // Their biases are gone too.
    EXPECT_GT(stats.pruned_params, masked.pruned_params);
    EXPECT_LT(logits_difference(engine_logits(model, GetParam()), before), tolerance()) << name;

    const TemporaryFolder folder;
    save_checkpoint(model, folder.path(), DType::f32);
    const Model again = Model::load(folder.path());
    EXPECT_EQ(again.config, model.config) << name;
    EXPECT_EQ(again.pruning, model.pruning);
    EXPECT_EQ(engine_logits(again, GetParam()), engine_logits(model, GetParam())) << name;
  }
}

TEST_P(Permanent, LayersMayDiffer) {
  for (const char* name : kFamilies) {
    Model model = checkpoint(name);
    unit_pruning(model, 0.25, PruningNorm::l1,
                 {.layers = {"encoder.layers.0.fc1", "decoder.layers.1"}});
    unit_pruning(model, 0.6, PruningNorm::infinity, {.layers = {"decoder.layers.*.encoder_attn"}});
    const auto before = engine_logits(model, GetParam());
    make_permanent(model);
    EXPECT_EQ(model.config.encoder_layers[0].ffn, 24);
    EXPECT_EQ(model.config.encoder_layers[1].ffn, 32);
    EXPECT_EQ(model.config.decoder_layers[0].self_heads, 4);
    EXPECT_EQ(model.config.decoder_layers[1].self_heads, 3);
    EXPECT_EQ(model.config.decoder_layers[0].cross_heads, 2);
    EXPECT_EQ(model.config.decoder_layers[1].cross_heads, 1);
    EXPECT_LT(logits_difference(engine_logits(model, GetParam()), before), tolerance()) << name;
    const TemporaryFolder folder;
    save_checkpoint(model, folder.path(), DType::f32);
    EXPECT_EQ(Model::load(folder.path()).config, model.config) << name;
  }
}

// A neuron without inputs is its activation's value at the bias, a head without values its value
// bias: constants that go on in the next bias.
TEST_P(Permanent, ConstantsMoveIntoTheNextBias) {
  for (const char* name : kFamilies) {
    Model model = checkpoint(name);
    prune_range(model, "encoder.layers.0.fc1", 0, 3, 19);
    prune_range(model, "encoder.layers.1.self_attn.v_proj", 0, 0, model.config.d_model / 2);
    prune_range(model, "decoder.layers.1.encoder_attn.v_proj", 0, model.config.d_model / 4,
                model.config.d_model / 2);
    prune_range(model, "decoder.layers.0.fc2", 1, 0, 5);
    const auto before = engine_logits(model, GetParam());
    const PermanentReport report = make_permanent(model);
    EXPECT_EQ(report.heads, 2);
    EXPECT_EQ(report.neurons, 16 + 5);
    EXPECT_EQ(model.config.encoder_layers[0].ffn, 16);
    EXPECT_EQ(model.config.decoder_layers[0].ffn, 19);
    EXPECT_LT(logits_difference(engine_logits(model, GetParam()), before), tolerance()) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Every, Permanent, testing::Values(Precision::fp32, Precision::int8),
                         [](const auto& test) { return std::string(name_of(test.param)); });

TEST(PermanentReport, SaysWhatStaysAndWhy) {
  Model model = checkpoint("bart");
  structured_pruning(model, 0.25, 0);
  const PermanentReport report = make_permanent(model);
  // Every fc1 lost a quarter of its neurons; rows of the others can go nowhere.
  EXPECT_EQ(report.neurons, 2 * 8 + 2 * 6);
  const auto why = [&](const std::string& layer) {
    for (const StayedChannels& stayed : report.stayed) {
      if (stayed.layer == layer) return std::to_string(stayed.count) + " " + stayed.why;
    }
    return std::string("nothing");
  };
  EXPECT_THAT(why("encoder.layers.0.fc2"), HasSubstr("4 its rows feed the residual stream"));
  EXPECT_THAT(why("decoder.layers.1.encoder_attn.out_proj"), HasSubstr("feed the residual"));
  EXPECT_THAT(why("decoder.layers.1.self_attn.q_proj"), HasSubstr("4 only whole heads"));
  EXPECT_EQ(why("encoder.layers.0.fc1"), "nothing");
}

TEST(PermanentReport, AnEmptyBlockKeepsOneUnit) {
  Model model = checkpoint("bart");
  structured_pruning(model, 1.0, 1, PruningNorm::l2, {.layers = {"encoder.layers.0.fc2"}});
  const auto before = engine_logits(model, Precision::fp32);
  const PermanentReport report = make_permanent(model);
  EXPECT_EQ(model.config.encoder_layers[0].ffn, 1);
  EXPECT_EQ(report.neurons, 31);
  EXPECT_THAT(report.stayed.at(0).why, HasSubstr("empty"));
  EXPECT_LT(logits_difference(engine_logits(model, Precision::fp32), before), 1e-4);
}

TEST(Uniform, IsWhatTransformersLoads) {
  for (const char* name : kFamilies) {
    Model model = checkpoint(name);
    unit_pruning(model, 0.25);
    unit_pruning(model, 0.5, PruningNorm::l2, {.layers = {"encoder.layers.1"}});
    const auto before = engine_logits(model, Precision::fp32);
    const PermanentReport report = make_permanent(model, true);
    EXPECT_EQ(report.heads, 0);
    EXPECT_EQ(report.neurons, 2 * 8 + 2 * 6);
    EXPECT_FALSE(report.stayed.empty());
    for (const LayerConfig& layer : model.config.encoder_layers) {
      EXPECT_EQ(layer.ffn, 24);
      EXPECT_EQ(layer.self_heads, 2);
    }
    EXPECT_LT(logits_difference(engine_logits(model, Precision::fp32), before), 1e-4) << name;
    const TemporaryFolder folder;
    save_checkpoint(model, folder.path(), DType::f32);
    const Model again = Model::load(folder.path());
    EXPECT_THAT(again.raw_config, HasSubstr("\"encoder_ffn_dim\": 24"));
    EXPECT_THAT(again.raw_config, testing::Not(HasSubstr("self_heads")));
    EXPECT_EQ(again.config, model.config);
  }
}

TEST(UnitPruning, RefusesToRemoveEveryHead) {
  Model model = checkpoint("bart");
  try {
    unit_pruning(model, 0.8);
    FAIL() << "pruned";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("every head"));
    EXPECT_EQ(error.detail().field, "encoder.layers.0.self_attn");
  }
  EXPECT_TRUE(model.masks.empty());
  EXPECT_THROW(unit_pruning(model, 1.0, PruningNorm::l2, {.layers = {"fc1"}}), Error);
  // Again on what is left: of 4 heads 2 go, of 2 one.
  const PruningTargets targets{.layers = {"decoder.layers.*.self_attn"}};
  unit_pruning(model, 0.5, PruningNorm::l2, targets);
  unit_pruning(model, 0.5, PruningNorm::l2, targets);
  EXPECT_THROW(unit_pruning(model, 0.6, PruningNorm::l2, targets), Error);
  make_permanent(model);
  EXPECT_EQ(model.config.decoder_layers[0].self_heads, 1);
}

TEST(UnitPruning, OverAllBlocksTakesTheShareOfTheirParameters) {
  for (const char* name : kFamilies) {
    const Model whole = checkpoint(name);
    Model model = whole;
    // A neuron that is nothing goes before all others.
    Tensor& fc1 = model.tensors.at("model.encoder.layers.1.fc1.weight");
    Tensor& fc2 = model.tensors.at("model.encoder.layers.1.fc2.weight");
    std::vector<float> rows = fc1.to_f32();
    std::vector<float> columns = fc2.to_f32();
    const auto d = static_cast<std::size_t>(model.config.d_model);
    std::fill_n(rows.begin() + static_cast<std::ptrdiff_t>(7 * d), d, 0.0F);
    for (std::size_t row = 0; row < d; ++row) columns[row * 32 + 7] = 0;
    fc1 = Tensor::from_f32(fc1.shape, std::move(rows));
    fc2 = Tensor::from_f32(fc2.shape, std::move(columns));
    Model tiny = model;
    global_unit_pruning(tiny, 0.004);
    EXPECT_EQ(tiny.masks.at("model.encoder.layers.1.fc2.weight").pruned(), d) << name;

    global_unit_pruning(model, 0.3);
    const auto before = engine_logits(model, Precision::fp32);
    const PermanentReport report = make_permanent(model);
    // Of everything but the biases behind the blocks, which are nobody's.
    std::int64_t params = 0;
    for (const auto& [tensor, values] : whole.tensors) {
      const bool block =
          tensor.find(".layers.") != std::string::npos && tensor.find("norm") == std::string::npos;
      const bool residual = tensor.ends_with("fc2.bias") || tensor.ends_with("out_proj.bias");
      if (block && !residual) params += values.elements();
    }
    const double share = static_cast<double>(report.removed_params) / static_cast<double>(params);
    EXPECT_LE(share, 0.3 + 1e-4) << name;
    EXPECT_GT(share, 0.28) << name;
    EXPECT_LT(logits_difference(engine_logits(model, Precision::fp32), before), 1e-4) << name;
  }
  Model model = checkpoint("bart");
  global_unit_pruning(model, 1.0);
  make_permanent(model);
  for (const LayerConfig& layer : model.config.decoder_layers) {
    EXPECT_EQ(layer, (LayerConfig{.self_heads = 1, .cross_heads = 1, .head_dim = 4, .ffn = 1}));
  }
}

}  // namespace
}  // namespace kobolt
