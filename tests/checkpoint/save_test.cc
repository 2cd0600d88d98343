#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "base/mapped_file.h"
#include "checkpoint/golden_checkpoints.h"
#include "checkpoint/json_patch.h"
#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"
#include "kobolt/model.h"

namespace kobolt {
namespace {

class SaveFamily : public testing::TestWithParam<std::string> {};

TEST_P(SaveFamily, LoadsAgainAsTheSameModel) {
  const TemporaryFolder folder;
  const Model model = Model::load(kCheckpoints / GetParam());
  save_checkpoint(model, folder.path() / "deeper" / "copy", DType::f32);
  const Model again = Model::load(folder.path() / "deeper" / "copy");
  EXPECT_EQ(again.config, model.config);
  EXPECT_EQ(again.raw_generation_config, model.raw_generation_config);
  ASSERT_EQ(again.tensors.size(), model.tensors.size());
  for (const auto& [name, tensor] : model.tensors) {
    EXPECT_EQ(again.tensor(name).dtype, DType::f32);
    EXPECT_EQ(again.tensor(name).shape, tensor.shape) << name;
    EXPECT_EQ(again.tensor(name).to_f32(), tensor.to_f32()) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Every, SaveFamily, every_family(), family_test_name);

TEST(Save, KeepsTheSameBytesWhereNothingChanges) {
  const TemporaryFolder folder;
  Model model = Model::load(kCheckpoints / "bart");
  model.tokenizer["tokenizer.json"] = "{\"a\": 1}";
  save_checkpoint(model, folder.path(), DType::f32);
  EXPECT_EQ(read_text_file(folder.path() / "config.json"), model.raw_config);
  EXPECT_EQ(read_text_file(folder.path() / "tokenizer.json"), "{\"a\": 1}");
  EXPECT_EQ(Model::load(folder.path()).provenance.source_hash, model.provenance.source_hash);
}

TEST(Save, WritesTheNumberFormatIntoTheConfiguration) {
  const TemporaryFolder folder;
  const Model model = Model::load(kCheckpoints / "bart");
  save_checkpoint(model, folder.path(), DType::f16);
  const std::string config = read_text_file(folder.path() / "config.json");
  EXPECT_NE(config.find("\"dtype\": \"float16\""), std::string::npos);
  EXPECT_LT(std::filesystem::file_size(folder.path() / "model.safetensors"),
            std::filesystem::file_size(kCheckpoints / "bart" / "model.safetensors") * 2 / 3);
  const Model half = Model::load(folder.path());
  const auto exact = model.tensor("model.shared.weight").to_f32();
  const auto rounded = half.tensor("model.shared.weight").to_f32();
  for (std::size_t i = 0; i < exact.size(); ++i) {
    ASSERT_NEAR(rounded[i], exact[i], std::abs(exact[i]) / 2048 + 1e-7);
  }
}

TEST(Save, RefusesAWeightThatHalfPrecisionCannotHold) {
  const TemporaryFolder folder;
  Model model = Model::load(kCheckpoints / "bart");
  std::vector<float> values = model.tensor("model.shared.weight").to_f32();
  values[7] = 70000.0F;
  model.tensors["model.shared.weight"] =
      Tensor::from_f32(model.tensor("model.shared.weight").shape, values);
  try {
    save_checkpoint(model, folder.path(), DType::f16);
    FAIL() << "saved";
  } catch (const Error& error) {
    EXPECT_EQ(error.detail().field, "model.shared.weight");
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  save_checkpoint(model, folder.path(), DType::bf16);
  EXPECT_EQ(Model::load(folder.path()).tensor("model.shared.weight").dtype, DType::bf16);
}

TEST(Save, RefusesAModelThatItsConfigurationNoLongerDescribes) {
  const TemporaryFolder folder;
  Model model = Model::load(kCheckpoints / "bart");
  model.config.encoder_layers.at(1).ffn /= 2;
  EXPECT_THROW(save_checkpoint(model, folder.path(), DType::f32), Error);
  EXPECT_THROW(save_checkpoint(Model::load(kCheckpoints / "bart"), folder.path(), DType::i8),
               Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(JsonPatch, ReplacesOnlyTheTopLevelValue) {
  EXPECT_EQ(replace_string_field(R"({"a": {"dtype": "x"}, "b": "dtype", "dtype" : "y", "c": 1})",
                                 "dtype", "z"),
            R"({"a": {"dtype": "x"}, "b": "dtype", "dtype" : "z", "c": 1})");
  EXPECT_EQ(replace_string_field(R"({"q": "\"dtype\": \"x\"", "dtype": null})", "dtype", "z"),
            R"({"q": "\"dtype\": \"x\"", "dtype": null})");
  EXPECT_EQ(replace_string_field(R"({"q\\": ["dtype"], "dtype": "a\"b"})", "dtype", "z"),
            R"({"q\\": ["dtype"], "dtype": "z"})");
}

}  // namespace
}  // namespace kobolt
