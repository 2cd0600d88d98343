#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gradient/golden_gradients.h"
#include "model/layout.h"

// Derivatives against differences of losses, for shapes and activations that no golden file has.
namespace kobolt {
namespace {

/// A random model of this configuration, as far from its optimum as the golden ones.
Model random_model(const ModelConfig& config) {
  Model model;
  model.config = config;
  model.generation.decoder_start_token_id = 1;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  for (const TensorSpec& spec : expected_tensors(config)) {
    if (!spec.required && spec.name != "final_logits_bias") continue;
    const bool gain = spec.name.ends_with("norm.weight");
    const bool embedding = spec.part == ModelPart::embeddings || spec.part == ModelPart::output;
    const float size = gain ? 0.2F : embedding ? 0.3F : 0.5F;
    std::size_t count = 1;
    for (const std::int64_t extent : spec.shape) count *= static_cast<std::size_t>(extent);
    std::vector<float> values(count);
    for (float& value : values) value = size * normal(random) + (gain ? 1.0F : 0.0F);
    model.tensors[spec.name] = Tensor::from_f32(spec.shape, std::move(values));
  }
  return model;
}

ModelConfig small_config() {
  ModelConfig config;
  config.vocab_size = 37;
  config.encoder_vocab_size = 37;
  config.d_model = 18;
  config.max_positions = 20;
  // Every layer of another shape, no size a multiple of a panel.
  config.encoder_layers = {{.self_heads = 3, .head_dim = 6, .ffn = 21},
                           {.self_heads = 1, .head_dim = 6, .ffn = 5}};
  config.decoder_layers = {{.self_heads = 2, .cross_heads = 3, .head_dim = 6, .ffn = 17},
                           {.self_heads = 3, .cross_heads = 1, .head_dim = 6, .ffn = 33}};
  return config;
}

std::vector<TrainingSample> some_samples() {
  return {{.document = {3, 9, 17, 30, 4}, .decoder_input = {1, 8, 22}, .labels = {8, 22, 2}},
          {.document = {36}, .decoder_input = {1}, .labels = {35}},
          {.document = {11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21},
           .decoder_input = {1, 5, 5, 6, 7, 8, 9},
           .labels = {5, 5, 6, 7, 8, 9, 2}}};
}

double loss_of(const Model& model) {
  ThreadPool pool(1);
  LossGradient loss(model, {}, pool);
  loss.add(some_samples());
  return loss.loss();
}

// Along its own gradient g a tensor changes the loss by |g| a unit: less, if g has an error across
// and other than that, if it has one in length.
void expect_slopes(const ModelConfig& config) {
  const Model model = random_model(config);
  ThreadPool pool(2);
  LossGradient gradient(model, all_matrices(model), pool);
  gradient.add(some_samples());
  for (const auto& [name, slope] : gradient.take_gradients()) {
    double square = 0;
    for (const float value : slope) square += static_cast<double>(value) * value;
    const double norm = std::sqrt(square);
    ASSERT_GT(norm, 1e-4) << name;
    const auto loss_at = [&, name = name, &slope = slope](double step) {
      Model moved = model;
      std::vector<float> values = model.tensor(name).to_f32();
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] += static_cast<float>(step * slope[i] / norm);
      }
      moved.tensors[name] = Tensor::from_f32(model.tensor(name).shape, std::move(values));
      return loss_of(moved);
    };
    // Four points: the error is of the fourth order in the step, and the loss, of size 5, rounds
    // at about 1e-7.
    constexpr double kStep = 0.01;
    const double difference =
        (8 * (loss_at(kStep) - loss_at(-kStep)) - (loss_at(2 * kStep) - loss_at(-2 * kStep))) /
        (12 * kStep);
    EXPECT_NEAR(difference, norm, 2e-3 * norm + 1e-4) << name;
  }
}

class Difference : public testing::TestWithParam<Activation> {};

TEST_P(Difference, OfPostNorm) {
  ModelConfig config = small_config();
  config.activation = GetParam();
  expect_slopes(config);
}

TEST_P(Difference, OfPreNorm) {
  ModelConfig config = small_config();
  config.activation = GetParam();
  config.pre_norm = true;
  config.final_norm = true;
  config.scale_embedding = true;
  config.tied_output = false;
  expect_slopes(config);
}

INSTANTIATE_TEST_SUITE_P(Activations, Difference,
                         testing::Values(Activation::gelu, Activation::gelu_new, Activation::silu,
                                         Activation::tanh),
                         [](const auto& test) { return std::string(name_of(test.param)); });

TEST(Difference, OfSeparateEmbeddingsAndFormulaPositions) {
  ModelConfig config = small_config();
  config.positions = Positions::sinusoidal;
  config.shared_embedding = false;
  config.encoder_vocab_size = 41;
  config.embedding_norm = false;
  expect_slopes(config);
}

}  // namespace
}  // namespace kobolt
