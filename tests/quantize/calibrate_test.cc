#include "kobolt/calibrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "compile/compile_to_memory.h"
#include "compile/precision_plan.h"
#include "kobolt/error.h"
#include "quantize/int8.h"
#include "quantize/layer_noise.h"

namespace kobolt {
namespace {

using testing::HasSubstr;

Model example_model() {
  return Model::load(std::filesystem::path(KOBOLT_SOURCE_DIR) / "examples" / "deb-bart");
}

const std::vector<std::string>& example_documents() {
  static const std::vector<std::string> documents = {
      "This package contains the shared libraries that programs need to read compressed files.",
      "A small tool that shows which processes use a file, a folder or a network port.", ""};
  return documents;
}

Calibration calibrated(CalibrateOptions options) {
  options.run.threads = 2;
  return calibrate(example_model(), example_documents(), options);
}

/// 128 rows at most, in double, a product at a time.
double naive_output_db(const std::vector<float>& x, const std::vector<float>& w, std::size_t k,
                       float clip) {
  std::vector<float> rounded_x = x;
  round_to_int8(rounded_x, clip);
  std::vector<float> rounded_w = w;
  for (std::size_t at = 0; at < w.size(); at += k) {
    const std::span<float> row = std::span(rounded_w).subspan(at, k);
    round_to_int8(row, largest_magnitude(row));
  }
  double signal = 0;
  double noise = 0;
  for (std::size_t i = 0; i < x.size(); i += k) {
    for (std::size_t j = 0; j < w.size(); j += k) {
      double exact = 0;
      double rounded = 0;
      for (std::size_t c = 0; c < k; ++c) {
        exact += static_cast<double>(x[i + c]) * static_cast<double>(w[j + c]);
        rounded += static_cast<double>(rounded_x[i + c]) * static_cast<double>(rounded_w[j + c]);
      }
      signal += exact * exact;
      noise += (exact - rounded) * (exact - rounded);
    }
  }
  return 10 * std::log10(signal / noise);
}

TEST(LayerNoise, IsThatOfTheProductTakenApart) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  ThreadPool pool(2);
  for (const auto& [rows, k, n] : {std::tuple{5, 19, 33}, {1, 1, 1}, {17, 40, 1100}}) {
    RowSample sample(k, 128);
    for (int i = 0; i < rows; ++i) {
      std::vector<float> row(static_cast<std::size_t>(k));
      for (float& x : row) x = normal(random);
      sample.add(row.data());
    }
    std::vector<float> w(static_cast<std::size_t>(n) * static_cast<std::size_t>(k));
    for (float& x : w) x = normal(random);
    const float clip = 2.5F;
    const double naive = naive_output_db(sample.values(), w, static_cast<std::size_t>(k), clip);
    const LayerNoise noise = layer_noise(sample, clip, Tensor::from_f32({n, k}, w), pool);
    EXPECT_NEAR(noise.output_db, naive, 0.01) << k << " x " << n;
  }
}

TEST(LayerNoise, IsNothingWhereInt8IsExact) {
  ThreadPool pool(1);
  RowSample sample(2, 4);
  const float row[] = {127, -3};
  sample.add(row);
  const LayerNoise noise = layer_noise(sample, 127, Tensor::from_f32({1, 2}, {127, 5}), pool);
  constexpr double kExact = std::numeric_limits<double>::infinity();
  EXPECT_EQ(noise.input_db, kExact);
  EXPECT_EQ(noise.weight_db, kExact);
  EXPECT_EQ(noise.output_db, kExact);
}

TEST(Calibrate, KnowsEveryLinearLayerOnce) {
  const Model model = example_model();
  const Calibration calibration = calibrated({.method = CalibrationMethod::minmax});
  std::set<std::string> names;
  for (const LayerCalibration& layer : calibration.layers) {
    EXPECT_TRUE(names.insert(layer.name).second) << layer.name;
    EXPECT_EQ(layer.clip, std::max(std::abs(layer.min), std::abs(layer.max))) << layer.name;
    EXPECT_LT(layer.min, layer.max) << layer.name;
    EXPECT_GT(layer.snr_db, 0) << layer.name;
    // Two independent noises add up: the output is not much better than the worse of them.
    EXPECT_LT(layer.snr_db, std::min(layer.input_snr_db, layer.weight_snr_db) + 15) << layer.name;
    EXPECT_FALSE(layer.keep);
  }
  std::set<std::string> expected = {"lm_head"};
  for (const auto& [name, tensor] : model.tensors) {
    const bool layer = name.find(".layers.") != std::string::npos;
    if (!layer || tensor.shape.size() != 2) continue;
    constexpr std::size_t kPrefix = 6;  // "model."
    constexpr std::size_t kSuffix = 7;  // ".weight"
    expected.insert(name.substr(kPrefix, name.size() - kPrefix - kSuffix));
  }
  EXPECT_EQ(names, expected);
  EXPECT_EQ(calibration.model_hash, model.provenance.source_hash);
  EXPECT_EQ(calibration.documents, 3U);
}

TEST(Calibrate, GivesLayersOfOneInputOneRange) {
  const Calibration calibration = calibrated({.method = CalibrationMethod::entropy});
  const LayerCalibration& query = calibration.layer("decoder.layers.0.self_attn.q_proj");
  const LayerCalibration& value = calibration.layer("decoder.layers.0.self_attn.v_proj");
  EXPECT_EQ(query.section, "decoder.layers.0.self_attn.qkv");
  EXPECT_EQ(query.section, value.section);
  EXPECT_EQ(query.min, value.min);
  EXPECT_EQ(query.clip, value.clip);
  EXPECT_NE(query.weight_snr_db, value.weight_snr_db);
}

TEST(Calibrate, ClipsWithinTheRange) {
  const Calibration all = calibrated({.method = CalibrationMethod::minmax});
  for (const auto method :
       {CalibrationMethod::entropy, CalibrationMethod::percentile, CalibrationMethod::mse}) {
    const Calibration some = calibrated({.method = method, .percentile = 99});
    EXPECT_EQ(some.percentile, method == CalibrationMethod::percentile ? 99 : 0);
    ASSERT_EQ(some.layers.size(), all.layers.size());
    bool any_clipped = false;
    for (std::size_t i = 0; i < all.layers.size(); ++i) {
      EXPECT_EQ(some.layers[i].max, all.layers[i].max);
      EXPECT_LE(some.layers[i].clip, all.layers[i].clip) << all.layers[i].name;
      any_clipped = any_clipped || some.layers[i].clip < all.layers[i].clip;
    }
    EXPECT_TRUE(any_clipped) << name_of(method);
  }
}

TEST(Calibrate, LeavesOutWhatIsTooNoisy) {
  Calibration calibration = calibrated({});
  std::ranges::sort(calibration.layers, {}, &LayerCalibration::snr_db);
  const double middle = calibration.layers[calibration.layers.size() / 2].snr_db;
  const Calibration mixed = calibrated({.auto_mixed_db = middle});
  std::size_t kept = 0;
  for (const LayerCalibration& layer : mixed.layers) {
    EXPECT_EQ(layer.keep, layer.snr_db < middle) << layer.name;
    kept += layer.keep ? 1 : 0;
  }
  EXPECT_EQ(kept, mixed.layers.size() / 2);

  // An engine knows all of them by name, each matrix once.
  const Model model = example_model();
  CompileOptions options{.precision = Precision::int8};
  options.layers = mixed.kept_layers(Precision::fp16);
  const PrecisionPlan plan(options, model.config);
  for (const LayerCalibration& layer : mixed.layers) {
    const std::string matrix = layer.section == "lm_head" ? "embedding" : layer.section;
    if (layer.keep) {
      EXPECT_EQ(plan.of(matrix), Precision::fp16) << layer.name;
    }
  }
  std::set<std::string> patterns;
  for (const LayerPrecision& layer : options.layers) {
    EXPECT_TRUE(patterns.insert(layer.pattern).second) << layer.pattern;
  }
}

template <typename Call>
std::string refusal_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(Calibrate, RefusesOtherWeights) {
  const Calibration calibration = calibrated({.method = CalibrationMethod::minmax});
  calibration.require(example_model());
  const Model other = Model::load(std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / "bart");
  const std::string message = refusal_of([&] { calibration.require(other); });
  EXPECT_THAT(message, HasSubstr("made with other weights"));
  EXPECT_THAT(message, HasSubstr(calibration.model_hash));
  EXPECT_THAT(message, HasSubstr(other.provenance.source_hash));
  EXPECT_THAT(message, HasSubstr("kobolt calibrate"));
}

TEST(Calibrate, RefusesWhatCannotBeMeasured) {
  EXPECT_THAT(refusal_of([] { (void)calibrate(example_model(), {}); }), HasSubstr("nothing to"));
  EXPECT_THAT(refusal_of([] { (void)calibrated({.percentile = 0}); }), HasSubstr("percentile"));
  EXPECT_THAT(refusal_of([] { (void)calibrated({.percentile = 100.5}); }), HasSubstr("100.5"));
  EXPECT_THAT(refusal_of([] { (void)calibration_method_from_name("max"); }), HasSubstr("minmax"));

  Model model = example_model();
  Tensor& weight = model.tensors.at("model.encoder.layers.0.fc1.weight");
  std::vector<float> values = weight.to_f32();
  values[3] = std::numeric_limits<float>::infinity();
  weight = Tensor::from_f32(weight.shape, values);
  EXPECT_THAT(refusal_of([&] { (void)calibrate(model, example_documents()); }),
              HasSubstr("encoder.layers.0.fc2"));
}

}  // namespace
}  // namespace kobolt
