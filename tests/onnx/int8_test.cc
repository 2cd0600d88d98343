#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"
#include "kobolt/onnx.h"
#include "onnx/calibration_of.h"
#include "onnx/exported_model.h"
#include "onnx/model_reader.h"
#include "prune/pruned_model.h"

// Explicit quantisation: what is rounded, with which steps, and what is refused.
namespace kobolt {
namespace {

using onnx::Array;
using onnx::calibration_of;
using onnx::ExportedModel;
using onnx::ModelDef;
using onnx::NodeDef;
using testing::HasSubstr;

constexpr float kClip = 12.7F;  // steps of 0.1

OnnxOptions int8_options(const Model& model) {
  return {.precision = OnnxPrecision::int8, .calibration = calibration_of(model, kClip)};
}

class OnnxInt8 : public testing::Test {
 protected:
  [[nodiscard]] ModelDef graph(const std::string& name) const {
    return onnx::read_model(folder_.path() / (name + ".onnx")).model;
  }

  [[nodiscard]] std::string refused(const OnnxOptions& options) const {
    try {
      export_onnx(bart_, folder_.path(), options);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was refused";
  }

  const Model bart_ = checkpoint("bart");
  const TemporaryFolder folder_;
};

// The node that makes each value.
struct Index {
  std::map<std::string, const NodeDef*> makers;

  explicit Index(const ModelDef& model) {
    for (const NodeDef& node : model.nodes) makers[node.output] = &node;
  }
  [[nodiscard]] std::string op_of(const std::string& value) const {
    const auto found = makers.find(value);
    return found == makers.end() ? "" : found->second->op_type;
  }
};

// TensorRT refuses graphs in which anything else does.
TEST_F(OnnxInt8, OnlyDequantizeLinearReadsStoredIntegers) {
  export_onnx(bart_, folder_.path(), int8_options(bart_));
  for (const char* name : {"encoder_model", "decoder_model", "decoder_with_past_model"}) {
    const ModelDef model = graph(name);
    std::set<std::string> integers;
    for (const onnx::TensorDef& tensor : model.initializers) {
      if (tensor.type == onnx::ElementType::i8) integers.insert(tensor.name);
    }
    EXPECT_GE(integers.size(), 12U) << name;
    for (const NodeDef& node : model.nodes) {
      for (const std::string& input : node.inputs) {
        const bool zero_point = node.op_type == "QuantizeLinear";
        if (!integers.contains(input) || zero_point) continue;
        EXPECT_EQ(node.op_type, "DequantizeLinear") << name << ", " << input;
      }
    }
  }
}

TEST_F(OnnxInt8, EveryProductWithAWeightIsOfRoundedNumbers) {
  export_onnx(bart_, folder_.path(), int8_options(bart_));
  for (const auto& [name, products] :
       std::map<std::string, int>{{"encoder_model", 2 * 6},
                                  {"decoder_model", 2 * 10 + 1},
                                  {"decoder_with_past_model", 2 * 8 + 1}}) {
    const ModelDef model = graph(name);
    const Index index(model);
    std::set<std::string> scales;
    int rounded = 0;
    for (const NodeDef& node : model.nodes) {
      if (node.op_type != "MatMul" || index.op_of(node.inputs[1]) != "DequantizeLinear") continue;
      ++rounded;
      // x -> QuantizeLinear -> DequantizeLinear, both with one scale and zero as zero point.
      ASSERT_EQ(index.op_of(node.inputs[0]), "DequantizeLinear") << node.name;
      const NodeDef& back = *index.makers.at(node.inputs[0]);
      ASSERT_EQ(index.op_of(back.inputs[0]), "QuantizeLinear") << node.name;
      const NodeDef& there = *index.makers.at(back.inputs[0]);
      EXPECT_EQ(there.inputs[1], back.inputs[1]);
      EXPECT_EQ(there.inputs[2], "i8:0");
      EXPECT_EQ(back.inputs[2], "i8:0");
      EXPECT_NEAR(std::stof(back.inputs[1].substr(4)), 0.1F, 1e-4F);
      EXPECT_TRUE(scales.insert(back.inputs[1]).second) << "a scale that two layers share";
      // The weight, an axis of scales for its columns.
      EXPECT_EQ(std::get<std::int64_t>(index.makers.at(node.inputs[1])->attributes[0].value), 1);
    }
    EXPECT_EQ(rounded, products) << name;
  }
}

TEST_F(OnnxInt8, ComputesNearlyTheSameModel) {
  for (const char* name : {"bart", "mbart", "pegasus"}) {
    const Model model = checkpoint(name);
    const TemporaryFolder exact;
    export_onnx(model, exact.path());
    export_onnx(model, folder_.path(), int8_options(model));
    ExportedModel expected(exact.path());
    ExportedModel found(folder_.path());
    const std::vector<ExportedModel::Ids> documents = {{5, 6, 7, 8, 9}, {10, 11}};
    expected.encode(documents);
    found.encode(documents);
    const Array a = expected.start({3, 4});
    const Array b = found.start({3, 4});
    double largest = 0;
    double error = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      largest = std::max(largest, std::abs(a.values[i]));
      error = std::max(error, std::abs(a.values[i] - b.values[i]));
    }
    EXPECT_LT(error, 0.3 * largest) << name;
    EXPECT_GT(error, 1e-3 * largest) << name << ": nothing was rounded";
  }
}

TEST_F(OnnxInt8, KeepsTheLayersThatTheCalibrationKeeps) {
  OnnxOptions options = int8_options(bart_);
  options.calibration->layers.front().keep = true;
  const std::string kept = options.calibration->layers.front().name;
  options.layers = {{.pattern = "lm_head", .precision = OnnxPrecision::int8_weights}};
  export_onnx(bart_, folder_.path(), options);
  const ModelDef model = graph("encoder_model");
  std::set<std::string> names;
  for (const auto& tensor : model.initializers) names.insert(tensor.name);
  EXPECT_TRUE(names.contains("model." + kept + ".weight.T"));
  EXPECT_THAT(model.properties.back().second, HasSubstr(kept + "=fp32, lm_head=int8-weights"));
}

TEST_F(OnnxInt8, NeedsACalibrationOfTheseWeights) {
  EXPECT_THAT(refused({.precision = OnnxPrecision::int8}), HasSubstr("kobolt calibrate"));
  EXPECT_THAT(refused({.layers = {{.pattern = "lm_head", .precision = OnnxPrecision::int8}}}),
              HasSubstr("kobolt calibrate"));
  Calibration other = calibration_of(checkpoint("mbart"), kClip);
  other.layers.front().name = "encoder.layers.77.fc1";  // and of another shape
  other.layers.front().keep = true;
  EXPECT_THAT(refused({.precision = OnnxPrecision::int8, .calibration = other}),
              HasSubstr("other weights"));
  Calibration partial = calibration_of(bart_, kClip);
  partial.layers.pop_back();
  EXPECT_THAT(refused({.precision = OnnxPrecision::int8, .calibration = partial}),
              HasSubstr("lm_head"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

}  // namespace
}  // namespace kobolt
