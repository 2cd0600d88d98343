#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"
#include "kobolt/onnx.h"
#include "onnx/model_reader.h"
#include "prune/pruned_model.h"

// What an export's files are called, hold and share, and what is refused without leaving any.
namespace kobolt {
namespace {

namespace fs = std::filesystem;
using onnx::Dimension;
using onnx::ElementType;
using onnx::ReadModel;
using onnx::TensorDef;
using onnx::ValueDef;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string text_of(const ValueDef& value) {
  std::string text = value.name;
  text += value.type == ElementType::i64   ? " i64"
          : value.type == ElementType::f16 ? " f16"
                                           : " f32";
  for (const Dimension& dimension : value.shape) {
    const auto* size = std::get_if<std::int64_t>(&dimension);
    text += ' ' + (size != nullptr ? std::to_string(*size) : std::get<std::string>(dimension));
  }
  return text;
}

std::vector<std::string> texts_of(const std::vector<ValueDef>& values) {
  std::vector<std::string> texts;
  std::ranges::transform(values, std::back_inserter(texts), text_of);
  return texts;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

class OnnxFiles : public testing::Test {
 protected:
  [[nodiscard]] ReadModel graph(const std::string& name) const {
    return onnx::read_model(folder_.path() / (name + ".onnx"));
  }

  // What is said, and nothing may be left behind.
  [[nodiscard]] std::string refused(const Model& model, const OnnxOptions& options,
                                    const std::string& folder = "new") const {
    const fs::path target = folder_.path() / folder;
    const std::vector<std::string> before =
        fs::is_directory(target) ? names_in(target) : std::vector<std::string>();
    try {
      export_onnx(model, target, options);
    } catch (const Error& error) {
      if (fs::is_directory(target)) {
        EXPECT_EQ(names_in(target), before);
      }
      return error.what();
    }
    return "nothing was refused";
  }

  const Model bart_ = checkpoint("bart");
  const TemporaryFolder folder_;
};

TEST_F(OnnxFiles, HaveTheInputsAndOutputsThatOptimumLooksFor) {
  export_onnx(bart_, folder_.path());
  // bart of the tests: d_model 16, vocabulary 120; its decoder has 2 layers.
  const auto encoder = graph("encoder_model").model;
  EXPECT_THAT(texts_of(encoder.inputs),
              ElementsAre("input_ids i64 batch_size encoder_sequence_length",
                          "attention_mask i64 batch_size encoder_sequence_length"));
  EXPECT_THAT(texts_of(encoder.outputs),
              ElementsAre("last_hidden_state f32 batch_size encoder_sequence_length 16"));

  const int heads = bart_.config.decoder_layers.front().self_heads;
  const std::string head = ' ' + std::to_string(heads) + ' ';
  const std::string width = ' ' + std::to_string(16 / heads);
  const auto cache = [&](const std::string& name, const std::string& length) {
    return name + " f32 batch_size" + head + length + width;
  };
  const std::string source = "encoder_sequence_length";
  const auto first = graph("decoder_model").model;
  EXPECT_THAT(texts_of(first.inputs),
              UnorderedElementsAre("input_ids i64 batch_size decoder_sequence_length",
                                   "encoder_hidden_states f32 batch_size " + source + " 16",
                                   "encoder_attention_mask i64 batch_size " + source));
  ASSERT_EQ(bart_.config.decoder_layers.size(), 2U);
  EXPECT_THAT(
      texts_of(first.outputs),
      ElementsAre("logits f32 batch_size decoder_sequence_length 120",
                  cache("present.0.decoder.key", "decoder_sequence_length"),
                  cache("present.0.decoder.value", "decoder_sequence_length"),
                  cache("present.0.encoder.key", source), cache("present.0.encoder.value", source),
                  cache("present.1.decoder.key", "decoder_sequence_length"),
                  cache("present.1.decoder.value", "decoder_sequence_length"),
                  cache("present.1.encoder.key", source),
                  cache("present.1.encoder.value", source)));

  const auto later = graph("decoder_with_past_model").model;
  const std::string past = "past_decoder_sequence_length";
  EXPECT_THAT(texts_of(later.inputs),
              ElementsAre("input_ids i64 batch_size decoder_sequence_length",
                          "encoder_attention_mask i64 batch_size " + source,
                          cache("past_key_values.0.decoder.key", past),
                          cache("past_key_values.0.decoder.value", past),
                          cache("past_key_values.0.encoder.key", source),
                          cache("past_key_values.0.encoder.value", source),
                          cache("past_key_values.1.decoder.key", past),
                          cache("past_key_values.1.decoder.value", past),
                          cache("past_key_values.1.encoder.key", source),
                          cache("past_key_values.1.encoder.value", source)));
  const std::string total = "total_decoder_sequence_length";
  EXPECT_THAT(
      texts_of(later.outputs),
      ElementsAre("logits f32 batch_size decoder_sequence_length 120",
                  cache("present.0.decoder.key", total), cache("present.0.decoder.value", total),
                  cache("present.1.decoder.key", total), cache("present.1.decoder.value", total)));
}

TEST_F(OnnxFiles, FixedAxesAreNumbers) {
  export_onnx(bart_, folder_.path(), {.batch = 3, .sequence = 7});
  EXPECT_THAT(texts_of(graph("encoder_model").model.inputs), Contains("input_ids i64 3 7"));
  EXPECT_THAT(texts_of(graph("decoder_model").model.inputs),
              Contains("input_ids i64 3 decoder_sequence_length"));
  EXPECT_THAT(texts_of(graph("decoder_with_past_model").model.inputs),
              Contains("encoder_attention_mask i64 3 7"));
}

TEST_F(OnnxFiles, SayWhichOperatorsTheyUse) {
  export_onnx(bart_, folder_.path());
  EXPECT_EQ(graph("encoder_model").model.opset, 17);
  EXPECT_EQ(graph("encoder_model").ir_version, 8);
  EXPECT_EQ(graph("encoder_model").producer, "kobolt");
  export_onnx(bart_, folder_.path(), {.precision = OnnxPrecision::int4_weights});
  EXPECT_EQ(graph("encoder_model").model.opset, 21);
  EXPECT_EQ(graph("encoder_model").ir_version, 10);
  export_onnx(bart_, folder_.path(), {.opset = 13});
  EXPECT_EQ(graph("encoder_model").model.opset, 13);
  EXPECT_EQ(graph("encoder_model").ir_version, 7);
}

TEST_F(OnnxFiles, SayWhatTheyWereMadeFrom) {
  export_onnx(bart_, folder_.path(),
              {.precision = OnnxPrecision::int8_weights,
               .layers = {{.pattern = "lm_head", .precision = OnnxPrecision::fp16}}});
  EXPECT_THAT(graph("decoder_model").model.properties,
              ElementsAre(std::pair("kobolt.source_hash", bart_.provenance.source_hash),
                          std::pair("kobolt.precision", "int8-weights, lm_head=fp16")));
}

TEST_F(OnnxFiles, StoreEachTensorOnce) {
  const std::vector<ExportedFile> files = export_onnx(bart_, folder_.path());
  ASSERT_EQ(files.size(), 4U);
  for (const ExportedFile& file : files) EXPECT_EQ(file.bytes, fs::file_size(file.path));

  std::map<std::string, std::uint64_t> offsets;
  std::uint64_t referred = 0;
  int shared = 0;
  for (const char* name : {"encoder_model", "decoder_model", "decoder_with_past_model"}) {
    for (const TensorDef& tensor : graph(name).model.initializers) {
      if (tensor.file.empty()) continue;
      EXPECT_EQ(tensor.file, "model.onnx_data");
      EXPECT_EQ(tensor.offset % 4096, 0U);
      const auto [known, fresh] = offsets.emplace(tensor.name, tensor.offset);
      EXPECT_EQ(known->second, tensor.offset) << tensor.name;
      shared += fresh ? 0 : 1;
      if (fresh) referred += (tensor.length + 4095) / 4096 * 4096;
    }
  }
  EXPECT_GT(shared, 10);
  // All of the file is somebody's; only the last tensor has nothing behind it.
  EXPECT_LT(referred - fs::file_size(folder_.path() / "model.onnx_data"), 4096U);
}

TEST_F(OnnxFiles, UseTheEmbeddingAsOutputProjectionWithoutStoringItAgain) {
  export_onnx(bart_, folder_.path());
  int vocabulary_sized = 0;
  for (const TensorDef& tensor : graph("decoder_model").model.initializers) {
    vocabulary_sized += tensor.shape.size() == 2 && std::ranges::count(tensor.shape, 120) > 0;
  }
  EXPECT_EQ(vocabulary_sized, 1);
}

TEST_F(OnnxFiles, ComeWithSettingsAndTokenizer) {
  const fs::path deb = fs::path(KOBOLT_SOURCE_DIR) / "examples/deb-bart";
  export_onnx(Model::load(deb), folder_.path(), {.precision = OnnxPrecision::int4_weights});
  for (const char* name :
       {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"}) {
    EXPECT_EQ(read_text_file(folder_.path() / name), read_text_file(deb / name)) << name;
  }
  EXPECT_FALSE(fs::exists(folder_.path() / "model.safetensors"));
}

TEST_F(OnnxFiles, ReplaceAnEarlierExport) {
  export_onnx(bart_, folder_.path());
  const auto before = names_in(folder_.path());
  export_onnx(bart_, folder_.path(), {.precision = OnnxPrecision::fp16});
  EXPECT_THAT(names_in(folder_.path()), testing::UnorderedElementsAreArray(before));
  EXPECT_EQ(graph("decoder_with_past_model").model.inputs.back().type, ElementType::f16);
}

TEST_F(OnnxFiles, LayersMayDifferInPrecision) {
  export_onnx(bart_, folder_.path(),
              {.precision = OnnxPrecision::int8_weights,
               .layers = {{.pattern = "encoder.layers.*.fc1", .precision = OnnxPrecision::fp32},
                          {.pattern = "encoder.layers.1", .precision = OnnxPrecision::fp16}}});
  std::set<std::string> names;
  for (const TensorDef& tensor : graph("encoder_model").model.initializers) {
    names.insert(tensor.name);
  }
  const std::string layer = "model.encoder.layers.";
  EXPECT_THAT(names, Contains(layer + "0.fc1.weight.T"));
  EXPECT_THAT(names, Contains(layer + "0.fc2.weight.T.int8"));
  EXPECT_THAT(names, Contains(layer + "1.fc1.weight.fp16.T"));
  EXPECT_THAT(names, Contains("model.shared.weight.int8"));
}

TEST_F(OnnxFiles, RefuseWhatCannotBeWritten) {
  EXPECT_THAT(refused(bart_, {.opset = 12}), HasSubstr("13 to 28"));
  EXPECT_THAT(refused(bart_, {.opset = 29}), HasSubstr("13 to 28"));
  EXPECT_THAT(refused(bart_, {.precision = OnnxPrecision::int4_weights, .opset = 20}),
              HasSubstr("at least 21"));
  EXPECT_THAT(refused(bart_, {.batch = 0}), HasSubstr("batch"));
  EXPECT_THAT(refused(bart_, {.sequence = 65}), HasSubstr("1 to 64"));
  EXPECT_THAT(refused(bart_, {.layers = {{.pattern = "encoder.layer.0.fc1"}}}),
              HasSubstr("encoder.layers.*.fc1"));
  EXPECT_THAT(
      refused(bart_, {.layers = {{.pattern = "shared", .precision = OnnxPrecision::int4_weights}}}),
      HasSubstr("shared=int4-weights"));
}

TEST_F(OnnxFiles, RefuseWeightsThatHalfPrecisionCannotHold) {
  Model model = bart_;
  std::vector<float> values = model.tensor("model.encoder.layers.1.fc2.weight").to_f32();
  values.back() = 1e6F;
  Tensor& tensor = model.tensors.at("model.encoder.layers.1.fc2.weight");
  tensor = Tensor::from_f32(tensor.shape, values);
  EXPECT_THAT(refused(model, {.precision = OnnxPrecision::fp16}),
              HasSubstr("model.encoder.layers.1.fc2.weight"));
  export_onnx(model, folder_.path(),
              {.precision = OnnxPrecision::fp16, .layers = {{.pattern = "encoder.layers.1.fc2"}}});
}

TEST_F(OnnxFiles, RefuseIntegersOfWhatIsNoNumber) {
  Model model = bart_;
  const std::string name = "model.decoder.layers.0.fc1.weight";
  std::vector<float> values = model.tensor(name).to_f32();
  for (const float bad : {NAN, -HUGE_VALF}) {
    values[5] = bad;
    Tensor& tensor = model.tensors.at(name);
    tensor = Tensor::from_f32(tensor.shape, values);
    for (const auto precision : {OnnxPrecision::int8_weights, OnnxPrecision::int4_weights}) {
      EXPECT_THAT(refused(model, {.precision = precision}), HasSubstr(name));
    }
  }
}

TEST_F(OnnxFiles, RefuseFoldersThatCannotHoldThem) {
  folder_.write("file", "");
  EXPECT_THAT(refused(bart_, {}, "file/inside"), HasSubstr("cannot make the folder"));
  // Found when the last file is begun: nothing of the others may be left.
  fs::create_directories(folder_.path() / "blocked/decoder_with_past_model.onnx");
  EXPECT_THAT(refused(bart_, {}, "blocked"), HasSubstr("a folder"));
  fs::create_directories(folder_.path() / "merged");
  folder_.write("merged/decoder_model_merged.onnx", "");
  EXPECT_THAT(refused(bart_, {}, "merged"), HasSubstr("another export"));
}

TEST(OnnxPrecisionName, IsReadBack) {
  for (const auto precision : {OnnxPrecision::fp32, OnnxPrecision::fp16, OnnxPrecision::int8,
                               OnnxPrecision::int8_weights, OnnxPrecision::int4_weights}) {
    EXPECT_EQ(onnx_precision_from_name(name_of(precision)), precision);
  }
  EXPECT_THROW(onnx_precision_from_name("int2"), Error);
  EXPECT_EQ(onnx_layer_precision_from_text("lm_head=fp16").precision, OnnxPrecision::fp16);
  EXPECT_THROW(onnx_layer_precision_from_text("lm_head"), Error);
}

}  // namespace
}  // namespace kobolt
