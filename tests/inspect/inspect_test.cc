#include "kobolt/inspect.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "checkpoint/golden_checkpoints.h"
#include "checkpoint/temporary_folder.h"
#include "kobolt/compile.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

std::map<std::string, PartSummary> parts_of(const ModelSummary& summary) {
  std::map<std::string, PartSummary> parts;
  for (const PartSummary& part : summary.parts) parts.emplace(part.name, part);
  return parts;
}

TEST(Inspect, CountsTheParametersOfACheckpointByPart) {
  const ModelSummary summary = inspect(kCheckpoints / "bart");
  const auto parts = parts_of(summary);
  // d 16, vocabulary 120, 64 positions and 2 more on each side.
  EXPECT_EQ(parts.at("embeddings").parameters, 120U * 16 + 2 * 66 * 16);
  const std::uint64_t attention = 4 * (16 * 16 + 16) + 2 * 16;
  const auto feed_forward = [](std::uint64_t ffn) { return 2 * 16 * ffn + ffn + 16 + 2 * 16; };
  EXPECT_EQ(parts.at("encoder").parameters, 2 * (attention + feed_forward(32)) + 2 * 16);
  EXPECT_EQ(parts.at("decoder").parameters, 2 * (2 * attention + feed_forward(24)) + 2 * 16);
  EXPECT_EQ(parts.at("output").parameters, 120U);
  EXPECT_EQ(summary.parameters * 4, summary.weight_bytes);
  EXPECT_EQ(summary.formats, (std::map<std::string, std::uint64_t>{{"F32", summary.weight_bytes}}));
  EXPECT_GT(summary.file_bytes, summary.weight_bytes);
  EXPECT_FALSE(summary.precision.has_value());
  EXPECT_EQ(summary.generation.num_beams, 4);
  EXPECT_EQ(summary.provenance.source_hash.size(), 32U);
}

TEST(Inspect, SaysWhyATokenizerCannotBeUsed) {
  const ModelSummary summary = inspect(kCheckpoints / "bart");
  EXPECT_TRUE(summary.tokenizer.kind.empty());
  EXPECT_FALSE(summary.tokenizer.problem.empty());
  EXPECT_TRUE(summary.tokenizer.files.empty());
}

class InspectFamily : public testing::TestWithParam<std::string> {};

// The engine has the same parameters, however it stores them.
TEST_P(InspectFamily, AnEngineHasTheParametersOfItsCheckpoint) {
  const TemporaryFolder folder;
  const auto checkpoint = kCheckpoints / GetParam();
  const ModelSummary before = inspect(checkpoint);
  for (const Precision precision :
       {Precision::fp32, Precision::fp16, Precision::bf16, Precision::int8, Precision::int4}) {
    const auto path = folder.path() / "model.kobolt";
    compile(Model::load(checkpoint), path, {.precision = precision});
    const ModelSummary after = inspect(path);
    EXPECT_EQ(after.precision, precision);
    const bool old = precision == Precision::fp32 || precision == Precision::int8;
    EXPECT_EQ(after.format_version, old ? 1 : 2);
    EXPECT_EQ(after.config, before.config);
    EXPECT_EQ(after.provenance.source_hash, before.provenance.source_hash);
    EXPECT_EQ(after.file_bytes, std::filesystem::file_size(path));
    EXPECT_LE(after.weight_bytes, after.file_bytes);
    const auto parts = parts_of(after);
    for (const auto& [name, part] : parts_of(before)) {
      // A stored sinusoidal table counts in a checkpoint; an engine cannot tell it from a computed.
      if (name == "embeddings" && before.config.positions == Positions::sinusoidal) continue;
      EXPECT_EQ(parts.at(name).parameters, part.parameters) << name;
      EXPECT_GT(parts.at(name).bytes, 0U) << name;
    }
    // Embeddings of int4 engines are int8.
    EXPECT_EQ(after.formats.contains("I4"), precision == Precision::int4);
    EXPECT_EQ(after.formats.contains("I8"),
              precision == Precision::int8 || precision == Precision::int4);
    EXPECT_EQ(after.formats.contains("F16"), precision == Precision::fp16);
    EXPECT_EQ(after.formats.contains("BF16"), precision == Precision::bf16);
    EXPECT_FALSE(after.formats.contains("U8"));
  }
}

INSTANTIATE_TEST_SUITE_P(Every, InspectFamily, every_family(), family_test_name);

TEST(Inspect, ShowsWhatASparseMatrixLeavesOut) {
  Model model = Model::load(kCheckpoints / "bart");
  const auto zero = [&](const std::string& name, std::size_t modulus, std::size_t rows) {
    Tensor& tensor = model.tensors.at(name);
    std::vector<float> values = tensor.to_f32();
    const auto columns = static_cast<std::size_t>(tensor.shape[1]);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = (i / columns % rows + i % columns) % modulus == 0 ? 1.0F : 0.0F;
    }
    tensor = Tensor::from_f32(tensor.shape, std::move(values));
  };
  zero("model.encoder.layers.0.fc1.weight", 4, 1);   // the same inputs for all outputs
  zero("model.encoder.layers.1.fc1.weight", 4, 99);  // other ones for each
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.kobolt";
  compile(model, path, {.sparse = SparseStorage::smallest});
  std::map<std::string, MatrixSummary> matrices;
  for (const MatrixSummary& matrix : inspect(path).matrices) matrices[matrix.name] = matrix;
  EXPECT_EQ(matrices.at("encoder.layers.0.fc1").form, "blocks");
  EXPECT_DOUBLE_EQ(matrices.at("encoder.layers.0.fc1").left_out, 0.75);
  EXPECT_EQ(matrices.at("encoder.layers.0.fc1").format, "F32");
  EXPECT_EQ(matrices.at("encoder.layers.1.fc1").form, "values");
  EXPECT_DOUBLE_EQ(matrices.at("encoder.layers.1.fc1").left_out, 0.75);
  EXPECT_EQ(matrices.at("encoder.layers.0.fc2").form, "dense");
  EXPECT_EQ(matrices.at("encoder.layers.0.fc2").left_out, 0.0);
  EXPECT_LT(matrices.at("encoder.layers.0.fc1").bytes, matrices.at("encoder.layers.1.fc1").bytes);
}

TEST(Inspect, ShowsTheNumberFormatOfEachPartAndMatrix) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.kobolt";
  compile(Model::load(kCheckpoints / "bart"), path,
          {.precision = Precision::int4, .layers = {{"encoder.layers.1.fc1", Precision::bf16}}});
  const ModelSummary summary = inspect(path);
  std::map<std::string, std::string> formats;
  for (const MatrixSummary& matrix : summary.matrices) formats[matrix.name] = matrix.format;
  EXPECT_EQ(formats.at("embedding"), "I8");
  EXPECT_EQ(formats.at("encoder.positions"), "I8");
  EXPECT_EQ(formats.at("encoder.layers.0.fc1"), "I4");
  EXPECT_EQ(formats.at("encoder.layers.1.fc1"), "BF16");
  EXPECT_EQ(formats.size(), 1U + 2 + 2 * 4 + 2 * 7);
  const auto parts = parts_of(summary);
  EXPECT_TRUE(parts.at("encoder").formats.contains("BF16"));
  EXPECT_FALSE(parts.at("decoder").formats.contains("BF16"));
  for (const auto& [name, part] : parts) {
    std::uint64_t bytes = 0;
    for (const auto& [format, stored] : part.formats) bytes += stored;
    EXPECT_EQ(bytes, part.bytes) << name;
  }
}

TEST(Inspect, RefusesWhatIsNeither) {
  const TemporaryFolder folder;
  EXPECT_THROW(inspect(folder.path()), Error);
  EXPECT_THROW(inspect(folder.path() / "absent"), Error);
  EXPECT_THROW(inspect(folder.write("x", "not an engine")), Error);
}

TEST(Inspect, ShowsTheTrainedModelsTokenizer) {
  const std::filesystem::path model = KOBOLT_SOURCE_DIR "/../shared/models/deb-bart";
  if (!std::filesystem::exists(model)) GTEST_SKIP() << "needs " << model;
  const ModelSummary summary = inspect(model);
  EXPECT_EQ(summary.tokenizer.kind, "BPE");
  EXPECT_EQ(summary.tokenizer.vocab_size, 8000);
  EXPECT_EQ(summary.tokenizer.problem, "");
}

}  // namespace
}  // namespace kobolt
