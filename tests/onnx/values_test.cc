#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/temporary_folder.h"
#include "kernels/kernels.h"
#include "kobolt/onnx.h"
#include "kobolt/prune.h"
#include "onnx/exported_model.h"
#include "prune/engine_logits.h"
#include "prune/pruned_model.h"

// What exported graphs compute, by the definitions of their operators, against what transformers
// computed from the same checkpoints (tests/golden/make_checkpoints.py). The same graphs in ONNX
// Runtime are runtime_test.py's business.
namespace kobolt {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using onnx::Array;
using onnx::ExportedModel;
using Ids = ExportedModel::Ids;
using Rows = std::vector<std::vector<float>>;

// Sums in another order, over numbers of the order of 1.
constexpr double kSameModel = 1e-4;

const fs::path kCheckpoints = fs::path(KOBOLT_TEST_DATA) / "checkpoints";

std::vector<std::string> checkpoint_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kCheckpoints)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

// Largest difference between rows of one document in `found` and what is expected, relative to the
// largest number of a row.
double rows_difference(const Array& found, std::size_t document, const Rows& expected,
                       std::size_t first_row = 0) {
  const auto columns = static_cast<std::size_t>(found.shape.back());
  const auto rows = static_cast<std::size_t>(found.shape.end()[-2]);
  double largest = 0;
  for (std::size_t i = 0; i + first_row < expected.size() && i < rows; ++i) {
    const std::vector<float>& row = expected[i + first_row];
    const double* at = found.values.data() + (document * rows + i) * columns;
    double scale = 0;
    for (const float value : row) scale = std::max(scale, std::abs(static_cast<double>(value)));
    for (std::size_t j = 0; j < columns; ++j) {
      const double error = std::abs(at[j] - static_cast<double>(row.at(j))) / scale;
      largest = error <= largest ? largest : error;  // NaN stays
    }
  }
  return largest;
}

// All that the graphs say about one checkpoint's documents.
double difference_to_golden(const fs::path& exported, const json& golden) {
  ExportedModel model(exported);
  const std::vector<Rows> hidden = golden.at("encoder");
  const std::vector<Rows> logits = golden.at("logits");
  const Ids tokens = golden.at("decoder_input");
  double largest = 0;
  const auto meet = [&](double error) { largest = error <= largest ? largest : error; };

  const Array& encoded = model.encode(golden.at("documents"));
  for (std::size_t i = 0; i < hidden.size(); ++i) meet(rows_difference(encoded, i, hidden[i]));
  const Array at_once = model.start(tokens);
  for (std::size_t i = 0; i < logits.size(); ++i) meet(rows_difference(at_once, i, logits[i]));
  // Then one token, two at a time (as speculative decoding does), and the rest one by one.
  Array stepwise = model.start({tokens[0]});
  for (std::size_t begin = 0; begin < tokens.size();) {
    const std::size_t size = begin == 1 && tokens.size() > 2 ? 2 : 1;
    if (begin > 0) {
      const auto first = tokens.begin() + static_cast<std::ptrdiff_t>(begin);
      stepwise = model.step({first, first + static_cast<std::ptrdiff_t>(size)});
    }
    for (std::size_t i = 0; i < logits.size(); ++i) {
      meet(rows_difference(stepwise, i, logits[i], begin));
    }
    begin += size;
  }
  return largest;
}

class OnnxOfFamily : public testing::TestWithParam<std::string> {
 protected:
  OnnxOfFamily()
      : model_(Model::load(kCheckpoints / GetParam())),
        golden_(json::parse(std::ifstream(kCheckpoints / GetParam() / "expected.json"))) {}

  double difference(const Model& model, const OnnxOptions& options) {
    export_onnx(model, folder_.path(), options);
    return difference_to_golden(folder_.path(), golden_);
  }

  const Model model_;
  const json golden_;
  const TemporaryFolder folder_;
};

TEST_P(OnnxOfFamily, ComputesWhatTransformersComputes) {
  EXPECT_LT(difference(model_, {}), kSameModel);
}

TEST_P(OnnxOfFamily, MeansTheSameInOldAndNewOperators) {
  EXPECT_LT(difference(model_, {.opset = kOldestOpset}), kSameModel);
  EXPECT_LT(difference(model_, {.opset = kNewestOpset}), kSameModel);
}

TEST_P(OnnxOfFamily, MeansTheSameWithACacheOfOneLength) {
  export_onnx(model_, folder_.path(), {.fixed_cache = true});
  ExportedModel model(folder_.path());
  const std::vector<Rows> logits = golden_.at("logits");
  const Ids tokens = golden_.at("decoder_input");
  model.encode(golden_.at("documents"));
  model.start({tokens[0]});
  model.make_room(std::ssize(tokens) + 3);
  for (std::size_t at = 1; at < tokens.size(); ++at) {
    const Array found = model.step_at(tokens[at], static_cast<int>(at));
    for (std::size_t i = 0; i < logits.size(); ++i) {
      EXPECT_LT(rows_difference(found, i, logits[i], at), kSameModel) << "token " << at;
    }
  }
}

TEST_P(OnnxOfFamily, HalfPrecisionRoundsEveryMatrixAndLittleElse) {
  const double error = difference(model_, {.precision = OnnxPrecision::fp16});
  EXPECT_LT(error, 0.02);
  EXPECT_GT(error, 1e-5) << "nothing was rounded";
}

// Rounded to 127 steps of each output feature's largest weight.
void round_to_i8(std::span<float> row) {
  float largest = 0;
  for (const float value : row) largest = std::max(largest, std::abs(value));
  for (float& value : row) {
    if (largest > 0) value = std::nearbyint(value / (largest / 127.0F)) * (largest / 127.0F);
  }
}

void round_to_i4(std::span<float> row) {
  const auto k = static_cast<int>(row.size());
  std::vector<std::uint8_t> packed(kernels::packed_i4_size(1, k));
  kernels::pack_i4(row.data(), k, 1, k, packed.data());
  kernels::unpack_i4_row({packed.data(), 1, k}, 0, row.data());
}

// The model whose weights already are what an integer format can say.
Model rounded(Model model, bool int4) {
  for (auto& [name, tensor] : model.tensors) {
    const bool positions = name.find("embed_positions") != std::string::npos;
    if (tensor.shape.size() != 2 || name == "final_logits_bias" || positions) continue;
    std::vector<float> values = tensor.to_f32();
    const auto columns = static_cast<std::size_t>(tensor.shape[1]);
    for (std::size_t row = 0; row < values.size(); row += columns) {
      const auto span = std::span(values).subspan(row, columns);
      int4&& name.find(".layers.") != std::string::npos ? round_to_i4(span) : round_to_i8(span);
    }
    tensor = Tensor::from_f32(tensor.shape, std::move(values));
  }
  return model;
}

TEST_P(OnnxOfFamily, IntegerWeightsAreThoseOfTheRoundedModel) {
  for (const bool int4 : {false, true}) {
    // The reference is the fp32 export of the rounded model, on the golden documents.
    const TemporaryFolder reference;
    export_onnx(rounded(model_, int4), reference.path());
    export_onnx(model_, folder_.path(),
                {.precision = int4 ? OnnxPrecision::int4_weights : OnnxPrecision::int8_weights});
    ExportedModel expected(reference.path());
    ExportedModel found(folder_.path());
    expected.encode(golden_.at("documents"));
    found.encode(golden_.at("documents"));
    const Array a = expected.start(golden_.at("decoder_input"));
    const Array b = found.start(golden_.at("decoder_input"));
    ASSERT_EQ(a.values.size(), b.values.size());
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      ASSERT_NEAR(a.values[i], b.values[i], kSameModel) << "int4: " << int4;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Every, OnnxOfFamily, testing::ValuesIn(checkpoint_names()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(OnnxOfPrunedModels, LayersOfAnyShapeComputeWhatTheEngineComputes) {
  const Ids document = {5, 6, 7, 8, 9, 10};
  const Ids tokens = {3, 20, 21};
  int ragged = 0;
  for (const std::string& name : checkpoint_names()) {
    Model model = checkpoint(name);
    ModelPruner(model,
                {.method = PruningMethod::structured, .amount = 0.3, .unit = PruningUnit::whole})
        .prune();
    make_permanent(model);
    ragged += model.config.encoder_layers.front().self_heads *
                  model.config.encoder_layers.front().head_dim !=
              model.config.d_model;
    const TemporaryFolder folder;
    export_onnx(model, folder.path());
    ExportedModel exported(folder.path());
    exported.encode({document});
    const LogitRows expected = engine_logits(model, Precision::fp32, document, tokens);
    EXPECT_LT(rows_difference(exported.start(tokens), 0, expected), kSameModel) << name;
  }
  EXPECT_GT(ragged, 0) << "no model lost a head";
}

TEST(OnnxOfPrunedModels, MasksAreApplied) {
  Model model = checkpoint("bart");
  ModelPruner(model, {.method = PruningMethod::magnitude, .amount = 0.5}).prune();
  ASSERT_FALSE(model.masks.empty());
  const TemporaryFolder folder;
  export_onnx(model, folder.path());
  ExportedModel exported(folder.path());
  const Ids document = {5, 6, 7, 8};
  exported.encode({document});
  const LogitRows expected = engine_logits(model, Precision::fp32, document, {3, 4});
  EXPECT_LT(rows_difference(exported.start({3, 4}), 0, expected), kSameModel);
}

}  // namespace
}  // namespace kobolt
