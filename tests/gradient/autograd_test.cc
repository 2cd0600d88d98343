#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "gradient/golden_gradients.h"
#include "kobolt/error.h"

// Loss and derivatives against torch autograd in float64, one checkpoint of each family
// (tests/golden/make_gradients.py). All samples run in one ragged batch here and alone there.
namespace kobolt {
namespace {

double norm_of(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

double weighted_sum(const std::vector<float>& values) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += static_cast<double>(1 + i % 97) * values[i];
  }
  return sum;
}

class Autograd : public testing::TestWithParam<std::string> {};

TEST_P(Autograd, AgreesOnLossAndEveryMatrix) {
  const Model model = gradient_checkpoint(GetParam());
  const nlohmann::json golden = golden_gradients(GetParam());
  const std::vector<std::string> names = all_matrices(model);
  ThreadPool pool(2);
  LossGradient loss(model, names, pool);
  loss.add(golden_samples(golden, model));
  const double expected_loss = golden.at("loss");
  EXPECT_NEAR(loss.loss(), expected_loss, 1e-6 * expected_loss);
  const WeightGradients gradients = loss.take_gradients();
  ASSERT_EQ(gradients.size(), names.size());
  // torch itself is up to 5e-5 of the norm off where it computes in float32.
  constexpr double kClose = 1e-4;
  for (const auto& [name, ours] : gradients) {
    const nlohmann::json& expected = golden.at("gradients").at(name);
    const double norm = expected.at("norm");
    ASSERT_GT(norm, 0) << name;
    EXPECT_NEAR(norm_of(ours), norm, kClose * norm) << name;
    // The weights are at most 97, in the mean square 56.
    const double spread = 56 * std::sqrt(static_cast<double>(ours.size()));
    EXPECT_NEAR(weighted_sum(ours), expected.at("weighted_sum").get<double>(),
                kClose * norm * spread)
        << name;
    for (const nlohmann::json& entry : expected.at("entries")) {
      EXPECT_NEAR(ours.at(entry.at(0)), entry.at(1).get<double>(), kClose * norm) << name;
    }
  }
}

TEST_P(Autograd, BatchesAndThreadsDoNotMatter) {
  const Model model = gradient_checkpoint(GetParam());
  const std::vector<TrainingSample> samples = golden_samples(golden_gradients(GetParam()), model);
  const std::vector<std::string> names = all_matrices(model);
  ThreadPool pool(3);
  ThreadPool single(1);
  LossGradient together(model, names, pool);
  together.add(samples);
  LossGradient apart(model, names, single);
  for (const TrainingSample& sample : samples) apart.add(std::span(&sample, 1));
  EXPECT_EQ(together.tokens(), apart.tokens());
  EXPECT_NEAR(together.loss(), apart.loss(), 1e-6 * apart.loss());
  const WeightGradients first = together.take_gradients();
  const WeightGradients second = apart.take_gradients();
  for (const auto& [name, values] : first) {
    const double norm = norm_of(values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(values[i], second.at(name)[i], 1e-5 * norm) << name << " " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Autograd, testing::ValuesIn(gradient_checkpoints()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(LossGradient, GivesWhatIsAskedForOnly) {
  const Model model = gradient_checkpoint("bart");
  const std::vector<TrainingSample> samples = golden_samples(golden_gradients("bart"), model);
  const std::string name = "model.encoder.layers.1.fc2.weight";
  ThreadPool pool(1);
  LossGradient all(model, all_matrices(model), pool);
  all.add(samples);
  LossGradient one(model, {name}, pool);
  one.add(samples);
  LossGradient none(model, {}, pool);
  none.add(samples);
  EXPECT_EQ(none.loss(), all.loss());
  EXPECT_TRUE(none.take_gradients().empty());
  const WeightGradients gradients = one.take_gradients();
  ASSERT_EQ(gradients.size(), 1U);
  EXPECT_EQ(gradients.at(name), all.take_gradients().at(name));
}

TEST(LossGradient, IsOfTheMaskedModel) {
  Model model = gradient_checkpoint("bart");
  const std::vector<TrainingSample> samples = golden_samples(golden_gradients("bart"), model);
  const std::string name = "model.decoder.layers.0.fc1.weight";
  Model zeroed = model;
  std::vector<float> values = model.tensor(name).to_f32();
  Mask mask(model.tensor(name).shape);
  for (std::size_t i = 0; i < values.size(); i += 3) {
    values[i] = 0;
    mask.prune(i);
  }
  model.masks[name] = mask;
  zeroed.tensors[name] = Tensor::from_f32(mask.shape(), values);
  ThreadPool pool(1);
  LossGradient by_mask(model, {name}, pool);
  by_mask.add(samples);
  LossGradient by_value(zeroed, {name}, pool);
  by_value.add(samples);
  EXPECT_EQ(by_mask.loss(), by_value.loss());
  EXPECT_EQ(by_mask.take_gradients(), by_value.take_gradients());
}

TEST(LossGradient, RefusesWhatHasNoGradient) {
  const Model model = gradient_checkpoint("bart");
  ThreadPool pool(1);
  const auto construct = [&](const std::string& name) {
    const LossGradient unused(model, {name}, pool);
  };
  EXPECT_THROW(construct("final_logits_bias"), Error);
  EXPECT_THROW(construct("model.encoder.layers.0.fc1.bias"), Error);
  EXPECT_THROW(construct("model.encoder.layers.9.fc1.weight"), Error);
  LossGradient loss(model, {}, pool);
  const auto refused = [&](const TrainingSample& sample) {
    EXPECT_THROW(loss.add(std::span(&sample, 1)), Error);
  };
  refused({.document = {}, .decoder_input = {1}, .labels = {5}});
  refused({.document = {5}, .decoder_input = {}, .labels = {}});
  refused({.document = {5}, .decoder_input = {1, 6}, .labels = {5}});
  refused({.document = {-1}, .decoder_input = {1}, .labels = {5}});
  refused({.document = {5}, .decoder_input = {1}, .labels = {120}});
  refused({.document = std::vector<std::int32_t>(65, 5), .decoder_input = {1}, .labels = {5}});
  EXPECT_EQ(loss.tokens(), 0);
}

}  // namespace
}  // namespace kobolt
