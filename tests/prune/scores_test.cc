#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "kobolt/calibration.h"
#include "kobolt/error.h"
#include "kobolt/gradient.h"
#include "prune/pruned_model.h"

// Selection by |weight| times the norm of its input, against sorting. Norms that torch measures are
// in transformers_test.py.
namespace kobolt {
namespace {

using testing::HasSubstr;

/// Norms from a short list, so that scores tie, zero among them.
InputNorms some_norms(const Model& model) {
  InputNorms norms;
  for (const auto& [name, tensor] : model.tensors) {
    if (tensor.shape.size() != 2) continue;
    std::vector<float>& of = norms[name];
    for (std::int64_t i = 0; i < tensor.shape[1]; ++i) {
      of.push_back(static_cast<float>(i % 5) * 0.37F);
    }
  }
  return norms;
}

/// The elements [begin, end) of a layer, of which `amount` go: those of smallest score.
std::vector<bool> expected(const Tensor& tensor, const std::vector<float>& norms, std::size_t group,
                           double amount) {
  const std::vector<float> weights = tensor.to_f32();
  std::vector<bool> kept(weights.size(), true);
  for (std::size_t begin = 0; begin < weights.size(); begin += group) {
    std::vector<std::size_t> order(group);
    std::iota(order.begin(), order.end(), begin);
    std::ranges::stable_sort(
        order, {}, [&](std::size_t i) { return std::abs(weights[i]) * norms[i % norms.size()]; });
    const auto count = std::lrint(amount * static_cast<double>(group));
    for (long i = 0; i < count; ++i) kept[order[static_cast<std::size_t>(i)]] = false;
  }
  return kept;
}

std::vector<bool> kept_bits(const Mask& mask) {
  std::vector<bool> bits;
  for (std::size_t i = 0; i < mask.size(); ++i) bits.push_back(mask.kept(i));
  return bits;
}

void expect_masks(PruningOptions options, const std::function<std::size_t(const Tensor&)>& group,
                  double amount) {
  Model model = checkpoint("bart");
  options.score = PruningScore::wanda;
  options.input_norms = some_norms(model);
  options.targets.threads = 2;
  ModelPruner(model, options).prune();
  ASSERT_FALSE(model.masks.empty());
  for (const auto& [name, mask] : model.masks) {
    const Tensor& tensor = model.tensor(name);
    EXPECT_EQ(kept_bits(mask),
              expected(tensor, options.input_norms.at(name), group(tensor), amount))
        << name;
  }
}

std::size_t row_size(const Tensor& tensor) { return static_cast<std::size_t>(tensor.shape[1]); }

TEST(Wanda, ComparesWithinMatricesRowsAndGroups) {
  expect_masks(
      {.method = PruningMethod::magnitude, .amount = 0.3},
      [](const Tensor& t) { return static_cast<std::size_t>(t.elements()); }, 0.3);
  for (const double amount : {0.0, 0.35, 1.0}) {
    expect_masks({.method = PruningMethod::row, .amount = amount}, row_size, amount);
  }
  expect_masks(
      {.method = PruningMethod::row, .pattern = pruning_pattern_from_name("2:4")},
      [](const Tensor&) { return std::size_t{4}; }, 0.5);
}

TEST(Wanda, ComparesBlocks) {
  Model model = checkpoint("bart");
  PruningOptions options{.method = PruningMethod::row,
                         .amount = 0.5,
                         .pattern = pruning_pattern_from_name("16x1"),
                         .score = PruningScore::wanda,
                         .input_norms = some_norms(model)};
  ModelPruner(model, options).prune();
  for (const auto& [name, mask] : model.masks) {
    const std::vector<float> weights = model.tensor(name).to_f32();
    const std::size_t columns = row_size(model.tensor(name));
    for (std::size_t first = 0; first * columns < weights.size(); first += 16) {
      const std::size_t last = std::min(first + 16, weights.size() / columns);
      std::vector<double> sums(columns);
      std::vector<std::size_t> order(columns);
      std::iota(order.begin(), order.end(), std::size_t{0});
      for (std::size_t row = first; row < last; ++row) {
        for (std::size_t i = 0; i < columns; ++i) {
          const float score =
              std::abs(weights[row * columns + i]) * options.input_norms.at(name)[i];
          sums[i] += static_cast<double>(score) * score;
        }
      }
      std::ranges::stable_sort(
          order, {}, [&](std::size_t i) { return static_cast<float>(std::sqrt(sums[i])); });
      for (std::size_t i = 0; i < columns; ++i) {
        for (std::size_t row = first; row < last; ++row) {
          EXPECT_EQ(mask.kept(row * columns + order[i]), i >= columns / 2) << name;
        }
      }
    }
  }
}

TEST(Wanda, WithEqualNormsIsMagnitude) {
  for (const auto method : {PruningMethod::magnitude, PruningMethod::global, PruningMethod::row}) {
    Model by_magnitude = checkpoint("bart");
    ModelPruner(by_magnitude, {.method = method, .amount = 0.4}).prune();
    Model by_wanda = checkpoint("bart");
    InputNorms norms = some_norms(by_wanda);
    for (auto& [name, of] : norms) std::ranges::fill(of, 2.0F);
    ModelPruner(
        by_wanda,
        {.method = method, .amount = 0.4, .score = PruningScore::wanda, .input_norms = norms})
        .prune();
    EXPECT_EQ(by_wanda.masks, by_magnitude.masks);
  }
}

TEST(Wanda, RefusesNormsThatDoNotFit) {
  const std::string name = "model.encoder.layers.1.fc2.weight";
  const InputNorms right = some_norms(checkpoint("bart"));
  const auto with = [&](std::vector<float> norms) {
    PruningOptions options{.score = PruningScore::wanda, .input_norms = right};
    options.input_norms[name] = std::move(norms);
    return refused_pruning(options);
  };
  EXPECT_THAT(refused_pruning({.score = PruningScore::wanda}), HasSubstr("collect_input_norms"));
  EXPECT_THAT(with({1, 2, 3}), HasSubstr("encoder.layers.1.fc2"));
  EXPECT_THAT(with(std::vector<float>(32, -1.0F)), HasSubstr("not a number"));
  EXPECT_THAT(with(std::vector<float>(32, std::numeric_limits<float>::infinity())),
              HasSubstr("not a number"));
  EXPECT_THAT(refused_pruning({.method = PruningMethod::structured, .score = PruningScore::wanda}),
              HasSubstr("single weights"));
  EXPECT_THROW((void)pruning_score_from_name("hessian"), Error);
}

/// Derivatives of both signs from a short list, so that scores tie, zero among them.
WeightGradients some_gradients(const Model& model) {
  WeightGradients gradients;
  for (const auto& [name, tensor] : model.tensors) {
    if (tensor.shape.size() != 2) continue;
    std::vector<float>& of = gradients[name];
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      of.push_back(static_cast<float>(i % 7 - 3) * 0.41F);
    }
  }
  return gradients;
}

// Elements of one matrix or of all, in the order in which they are to go.
TEST(Taylor, PrunesWhatChangesTheLossLeast) {
  for (const PruningMethod method : {PruningMethod::magnitude, PruningMethod::row}) {
    Model model = checkpoint("bart");
    PruningOptions options{
        .method = method, .amount = 0.3, .score = PruningScore::taylor, .input_norms = {}};
    options.weight_gradients = some_gradients(model);
    options.targets.threads = 2;
    ModelPruner(model, options).prune();
    ASSERT_FALSE(model.masks.empty());
    for (const auto& [name, mask] : model.masks) {
      // The product of weight and derivative, ranked by its size alone.
      std::vector<float> products = model.tensor(name).to_f32();
      for (std::size_t i = 0; i < products.size(); ++i) {
        products[i] *= options.weight_gradients.at(name)[i];
      }
      const std::size_t group =
          method == PruningMethod::row ? row_size(model.tensor(name)) : products.size();
      const Tensor scores = Tensor::from_f32(mask.shape(), products);
      EXPECT_EQ(kept_bits(mask), expected(scores, {1.0F}, group, 0.3)) << name;
    }
  }
}

TEST(Taylor, RanksOverAllMatrices) {
  Model model = checkpoint("bart");
  const WeightGradients gradients = some_gradients(model);
  PruningOptions options{.method = PruningMethod::global, .amount = 0.6};
  options.score = PruningScore::taylor;
  options.weight_gradients = gradients;
  ModelPruner(model, options).prune();
  float largest_pruned = 0;
  float smallest_kept = std::numeric_limits<float>::infinity();
  for (const auto& [name, mask] : model.masks) {
    const std::vector<float> weights = model.tensor(name).to_f32();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const float score = std::abs(weights[i] * gradients.at(name)[i]);
      if (mask.kept(i)) {
        smallest_kept = std::min(smallest_kept, score);
      } else {
        largest_pruned = std::max(largest_pruned, score);
      }
    }
  }
  EXPECT_LE(largest_pruned, smallest_kept);
  EXPECT_GT(largest_pruned, 0);
}

/// Of each neuron of a layer the sum of its weights' scores, and whether it is kept.
struct ScoredNeuron {
  double score;
  bool kept;
};
std::vector<ScoredNeuron> scored_neurons(const Model& model, const WeightGradients& gradients,
                                         const std::string& layer) {
  const std::string in = "model." + layer + ".fc1.weight";
  const std::string out = "model." + layer + ".fc2.weight";
  const auto scores_of = [&](const std::string& name) {
    std::vector<float> scores = model.tensor(name).to_f32();
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] = std::abs(scores[i] * gradients.at(name)[i]);
    }
    return scores;
  };
  const std::vector<float> rows = scores_of(in);
  const std::vector<float> columns = scores_of(out);
  const auto d = static_cast<std::size_t>(model.tensor(in).shape[1]);
  const auto neurons = static_cast<std::size_t>(model.tensor(in).shape[0]);
  std::vector<ScoredNeuron> scored(neurons);
  for (std::size_t j = 0; j < neurons; ++j) {
    for (std::size_t l = 0; l < d; ++l) {
      scored[j].score += rows[j * d + l];
      scored[j].score += columns[l * neurons + j];
    }
    scored[j].kept = model.masks.at(out).kept(j);
  }
  return scored;
}

void expect_smallest_pruned(const std::vector<ScoredNeuron>& scored) {
  double largest_pruned = 0;
  double smallest_kept = std::numeric_limits<double>::infinity();
  for (const auto& [score, kept] : scored) {
    if (kept) {
      smallest_kept = std::min(smallest_kept, score);
    } else {
      largest_pruned = std::max(largest_pruned, score);
    }
  }
  EXPECT_GT(largest_pruned, 0);
  // Not in the same order of additions.
  EXPECT_LE(largest_pruned, smallest_kept * (1 + 1e-6));
}

TEST(Taylor, NeuronsCountAsTheirWeights) {
  Model model = checkpoint("bart");
  PruningOptions options{.method = PruningMethod::structured, .amount = 0.5};
  options.unit = PruningUnit::whole;
  options.norm = PruningNorm::l1;
  options.score = PruningScore::taylor;
  options.weight_gradients = some_gradients(model);
  ModelPruner(model, options).prune();
  for (const char* layer : {"encoder.layers.0", "decoder.layers.1"}) {
    expect_smallest_pruned(scored_neurons(model, options.weight_gradients, layer));
  }
}

TEST(Taylor, NeuronsOfAllBlocksAreComparedAsTheyAre) {
  Model model = checkpoint("bart");
  WeightGradients gradients = some_gradients(model);
  // The loss hangs a hundred times more on one layer: of its neurons none goes.
  for (const char* name :
       {"model.encoder.layers.1.fc1.weight", "model.encoder.layers.1.fc2.weight"}) {
    for (float& gradient : gradients.at(name)) gradient *= 100;
  }
  PruningOptions options{.method = PruningMethod::global, .amount = 0.3};
  options.unit = PruningUnit::whole;
  options.norm = PruningNorm::l1;
  options.score = PruningScore::taylor;
  options.weight_gradients = gradients;
  options.targets.layers = {"fc1", "fc2"};
  ModelPruner(model, options).prune();
  std::vector<ScoredNeuron> all;
  for (const char* layer :
       {"encoder.layers.0", "encoder.layers.1", "decoder.layers.0", "decoder.layers.1"}) {
    const std::vector<ScoredNeuron> some = scored_neurons(model, gradients, layer);
    all.insert(all.end(), some.begin(), some.end());
  }
  expect_smallest_pruned(all);
  EXPECT_EQ(model.masks.at("model.encoder.layers.1.fc1.weight").active(),
            model.masks.at("model.encoder.layers.1.fc1.weight").size());
}

TEST(Taylor, RefusesDerivativesThatDoNotFit) {
  const std::string name = "model.encoder.layers.1.fc2.weight";
  PruningOptions options{.score = PruningScore::taylor};
  EXPECT_THAT(refused_pruning(options), HasSubstr("collect_weight_gradients"));
  options.weight_gradients = some_gradients(checkpoint("bart"));
  options.weight_gradients[name].pop_back();
  EXPECT_THAT(refused_pruning(options), HasSubstr("encoder.layers.1.fc2"));
  options.weight_gradients[name].push_back(std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(refused_pruning(options), HasSubstr("not a number"));
}

TEST(Taylor, DerivativesAreThoseOfTheLossOfSummaries) {
  const Model model = Model::load(KOBOLT_SOURCE_DIR "/examples/deb-bart");
  const std::vector<SummaryPair> pairs = {
      {.document = "This package contains the documentation.", .summary = "documentation"},
      {.document = "A game.", .summary = "game"}};
  const std::string layer = "decoder.layers.1.fc1";
  const std::string tensor = "model." + layer + ".weight";
  const auto gradients_of = [&](std::span<const SummaryPair> some) {
    return collect_weight_gradients(model, some, {layer}, {.threads = 2}).at(tensor);
  };
  const std::vector<float> together = gradients_of(pairs);
  EXPECT_EQ(static_cast<std::int64_t>(together.size()), model.tensor(tensor).elements());
  // The same pairs twice have the same mean.
  const std::vector<SummaryPair> twice = {pairs[0], pairs[1], pairs[0], pairs[1]};
  const std::vector<float> again = gradients_of(twice);
  double norm = 0;
  for (const float value : together) norm += static_cast<double>(value) * value;
  norm = std::sqrt(norm);
  EXPECT_GT(norm, 0);
  for (std::size_t i = 0; i < together.size(); ++i) {
    ASSERT_NEAR(again[i], together[i], 1e-5 * norm);
  }
  EXPECT_THROW((void)collect_weight_gradients(model, {}, {layer}), Error);
  EXPECT_THROW((void)collect_weight_gradients(model, pairs, {"decoder.layers.9.fc1"}), Error);
}

TEST(Calibration, NeedsATokenAndCountsEveryLayer) {
  const Model model = Model::load(KOBOLT_SOURCE_DIR "/examples/deb-bart");
  EXPECT_THROW((void)collect_input_norms(model, {}), Error);
  const std::vector<std::string> documents = {"This package contains the documentation.",
                                              "A game."};
  const InputNorms norms = collect_input_norms(model, documents, {.threads = 2});
  EXPECT_EQ(norms.size(),
            model.config.encoder_layers.size() * 6 + model.config.decoder_layers.size() * 10);
  for (const auto& [name, of] : norms) {
    EXPECT_EQ(static_cast<std::int64_t>(of.size()), model.tensor(name).shape[1]) << name;
    EXPECT_TRUE(std::ranges::all_of(of, [](float norm) { return norm >= 0 && norm < 1e6F; }));
    EXPECT_GT(std::accumulate(of.begin(), of.end(), 0.0F), 0.0F) << name;
  }
  // Documents are summarised one by one: their squares add up.
  const InputNorms first = collect_input_norms(model, std::span(documents).first(1));
  const InputNorms second = collect_input_norms(model, std::span(documents).last(1));
  for (const auto& [name, of] : norms) {
    for (std::size_t i = 0; i < of.size(); ++i) {
      const double sum = std::hypot(first.at(name)[i], second.at(name)[i]);
      EXPECT_NEAR(of[i], sum, 1e-4 * sum + 1e-6) << name;
    }
  }
}

}  // namespace
}  // namespace kobolt
