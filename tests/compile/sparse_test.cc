#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "compile/compile_to_memory.h"
#include "kobolt/error.h"

// Which form a matrix with zeros gets, and that files without any stay what they were.
namespace kobolt {
namespace {

/// bart with fc1 of encoder layer 0, [32, 16], of which zero(row, column) says what is 0.
template <class Zero>
Model with_fc1(const Zero& zero) {
  Model model = Model::load(std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / "bart");
  Tensor& tensor = model.tensors.at("model.encoder.layers.0.fc1.weight");
  std::vector<float> values = tensor.to_f32();
  const auto columns = static_cast<std::size_t>(tensor.shape[1]);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = zero(i / columns, i % columns) ? 0.0F : 0.01F + values[i] * values[i];
  }
  tensor = Tensor::from_f32(tensor.shape, std::move(values));
  return model;
}

std::string layout_of(const Model& model, const CompileOptions& options) {
  return std::string(
      name_of(compile_to_memory(model, options)->section("encoder.layers.0.fc1.weight").layout));
}

CompileOptions smallest(Precision precision = Precision::fp32) {
  return {.precision = precision, .sparse = SparseStorage::smallest};
}

TEST(SparseCompile, TakesTheSmallestForm) {
  const Model free = with_fc1([](std::size_t i, std::size_t j) { return (i * 5 + j * 3) % 7 > 1; });
  const Model blocks = with_fc1([](std::size_t, std::size_t j) { return j % 4 != 0; });
  const Model few = with_fc1([](std::size_t i, std::size_t j) { return i == j; });
  EXPECT_EQ(layout_of(free, smallest()), "values16_f32");
  EXPECT_EQ(layout_of(blocks, smallest()), "blocks16_f32");
  EXPECT_EQ(layout_of(few, smallest()), "panels16_f32");
  EXPECT_EQ(layout_of(blocks, {.sparse = SparseStorage::off}), "panels16_f32");
  EXPECT_EQ(layout_of(free, smallest(Precision::fp16)), "values16_f16");
  EXPECT_EQ(layout_of(blocks, smallest(Precision::bf16)), "blocks16_bf16");
  EXPECT_EQ(layout_of(blocks, smallest(Precision::int8)), "blocks16_pairs_i8");
  EXPECT_EQ(layout_of(blocks, smallest(Precision::int4)), "panels16_groups32_i4");
}

TEST(SparseCompile, TakesWhatIsNotSlowerUnasked) {
  const Model free = with_fc1([](std::size_t i, std::size_t j) { return (i * 5 + j * 3) % 7 > 1; });
  const auto blocks = [](std::size_t kept) {
    return with_fc1([kept](std::size_t, std::size_t j) { return j >= kept; });
  };
  for (const Precision precision : {Precision::fp32, Precision::fp16, Precision::int8}) {
    const CompileOptions unasked{.precision = precision};
    EXPECT_TRUE(layout_of(free, unasked).starts_with("panels16"));
    EXPECT_TRUE(layout_of(blocks(14), unasked).starts_with("panels16"));
    EXPECT_TRUE(layout_of(blocks(4), unasked).starts_with("blocks16"));
    EXPECT_TRUE(layout_of(blocks(14), smallest(precision)).starts_with("panels16"));
  }
  // Of 16 inputs 10 are kept, 6 in 16 of the bytes saved but for masks: floats only.
  EXPECT_EQ(layout_of(blocks(10), {}), "blocks16_f32");
  EXPECT_TRUE(layout_of(blocks(10), {.precision = Precision::int8}).starts_with("panels16"));
  for (const char* name : {"off", "auto", "small"}) (void)sparse_storage_from_name(name);
  EXPECT_THROW((void)sparse_storage_from_name("on"), Error);
}

TEST(SparseCompile, NoSparseMatrixIsLargerThanItsDenseForm) {
  for (const Precision precision : {Precision::fp32, Precision::fp16, Precision::int8}) {
    for (std::size_t share = 0; share <= 16; ++share) {
      const Model model =
          with_fc1([share](std::size_t i, std::size_t j) { return (i * 11 + j * 7) % 16 < share; });
      const auto sparse = compile_to_memory(model, smallest(precision));
      const auto dense =
          compile_to_memory(model, {.precision = precision, .sparse = SparseStorage::off});
      EXPECT_LE(sparse->section("encoder.layers.0.fc1.weight").size,
                dense->section("encoder.layers.0.fc1.weight").size)
          << share;
    }
  }
}

TEST(SparseCompile, AModelWithoutZerosGetsTheSameFileAsBefore) {
  const Model model = Model::load(std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / "bart");
  for (const auto& [precision, version] :
       {std::pair(Precision::fp32, 1U), std::pair(Precision::int8, 1U),
        std::pair(Precision::fp16, 2U), std::pair(Precision::int4, 2U)}) {
    const auto sparse = compile_to_memory(model, smallest(precision));
    const auto dense =
        compile_to_memory(model, {.precision = precision, .sparse = SparseStorage::off});
    EXPECT_EQ(sparse->version(), version);
    ASSERT_EQ(sparse->size(), dense->size());
    for (const Section& section : sparse->sections()) {
      EXPECT_EQ(section.hash, dense->section(section.name).hash) << section.name;
    }
  }
}

TEST(SparseCompile, ScalesAreThoseOfTheDenseMatrix) {
  const Model model = with_fc1([](std::size_t, std::size_t j) { return j % 4 != 0; });
  const auto sparse = compile_to_memory(model, smallest(Precision::int8));
  const auto dense =
      compile_to_memory(model, {.precision = Precision::int8, .sparse = SparseStorage::off});
  EXPECT_EQ(sparse->section("encoder.layers.0.fc1.scales").hash,
            dense->section("encoder.layers.0.fc1.scales").hash);
}

}  // namespace
}  // namespace kobolt
