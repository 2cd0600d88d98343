#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "compile/compile_to_memory.h"
#include "runtime/engine.h"
#include "runtime/generate.h"

// An engine without its zeros against the same engine stored whole: the numbers must be equal, not
// close, because zeros that are left out add nothing to any sum.
namespace kobolt {
namespace {

using Ids = std::vector<std::int32_t>;

/// Zeroes half of every linear layer, and with `everywhere` of the embeddings too: single weights,
/// or blocks of 16 outputs of one input.
Model with_zeros(const std::string& checkpoint, bool blocks, bool everywhere) {
  Model model = Model::load(std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / checkpoint);
  std::mt19937 generator(20261125);
  std::bernoulli_distribution half;
  for (auto& [name, tensor] : model.tensors) {
    const bool layer = name.find(".layers.") != std::string::npos;
    const bool table = name.ends_with("shared.weight") || name.ends_with("embed_tokens.weight") ||
                       name.ends_with("lm_head.weight");
    if (tensor.shape.size() != 2 || !(layer || (everywhere && table))) continue;
    std::vector<float> values = tensor.to_f32();
    const auto columns = static_cast<std::size_t>(tensor.shape[1]);
    std::vector<bool> zero(columns);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i % (16 * columns) < columns) zero[i % columns] = half(generator);
      if (blocks ? zero[i % columns] : half(generator)) values[i] = 0;
    }
    tensor = Tensor::from_f32(tensor.shape, std::move(values));
  }
  return model;
}

struct SparseCase {
  std::string checkpoint;
  Precision precision;
  bool blocks;
};

std::vector<SparseCase> sparse_cases() {
  std::vector<SparseCase> all;
  for (const char* checkpoint : {"bart", "marian-separate", "bart-untied", "pegasus"}) {
    for (const Precision precision :
         {Precision::fp32, Precision::fp16, Precision::bf16, Precision::int8, Precision::int4}) {
      for (const bool blocks : {false, true}) all.push_back({checkpoint, precision, blocks});
    }
  }
  return all;
}

class SparseEngine : public ::testing::TestWithParam<SparseCase> {
 protected:
  void compare(bool everywhere);
};

std::size_t sparse_sections(const EngineFile& file) {
  return static_cast<std::size_t>(std::ranges::count_if(
      file.sections(),
      [](const Section& section) { return sparse_layout(section.layout).has_value(); }));
}

/// Documents from one token to more than a block of rows.
std::vector<Ids> documents_for(const Engine& engine) {
  std::vector<Ids> documents;
  for (const int length : {1, 3, 30, 60}) {
    Ids& document = documents.emplace_back();
    const int most = std::min(length, engine.config().max_positions);
    for (int i = 0; i < most; ++i) {
      document.push_back(4 + (7 * i + length) % (engine.config().encoder_vocab_size - 4));
    }
  }
  return documents;
}

void SparseEngine::compare(bool everywhere) {
  const auto& [checkpoint, precision, blocks] = GetParam();
  const Model model = with_zeros(checkpoint, blocks, everywhere);
  const auto sparse_file =
      compile_to_memory(model, {.precision = precision, .sparse = SparseStorage::smallest});
  const auto dense_file =
      compile_to_memory(model, {.precision = precision, .sparse = SparseStorage::off});
  EXPECT_EQ(sparse_sections(*dense_file), 0U);
  if (precision == Precision::int4 && !everywhere) {
    EXPECT_EQ(sparse_sections(*sparse_file), 0U);
    EXPECT_EQ(sparse_file->version(), dense_file->version());
  } else {
    EXPECT_GT(sparse_sections(*sparse_file), 0U);
    EXPECT_EQ(sparse_file->version(), 3U);
    EXPECT_LT(sparse_file->size(), dense_file->size());
  }
  ThreadPool pool(2);
  Engine sparse(sparse_file, pool);
  Engine dense(dense_file, pool);
  const std::vector<Ids> documents = documents_for(sparse);
  const auto hidden_of = [&](Engine& engine) {
    std::size_t tokens = 0;
    for (const Ids& document : documents) tokens += document.size();
    std::vector<float> hidden(tokens * static_cast<std::size_t>(engine.config().d_model));
    engine.encode_hidden(documents, hidden.data());
    return hidden;
  };
  const std::vector<float> hidden = hidden_of(sparse);
  EXPECT_TRUE(std::ranges::all_of(hidden, [](float x) { return std::isfinite(x); }));
  EXPECT_EQ(hidden, hidden_of(dense));

  for (const int beams : {1, 4}) {
    GenerationConfig settings = dense_file->metadata().generation;
    settings.num_beams = beams;
    settings.do_sample = false;
    settings.max_new_tokens = 12;
    const auto found = generate(sparse, documents, settings, {});
    const auto expected = generate(dense, documents, settings, {});
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_FALSE(found[i][0].tokens.empty());
      EXPECT_EQ(found[i][0].tokens, expected[i][0].tokens) << "document " << i;
      EXPECT_EQ(found[i][0].score, expected[i][0].score) << "document " << i;
    }
  }
}

TEST_P(SparseEngine, ComputesWhatTheSameEngineStoredWholeComputes) { compare(false); }

TEST_P(SparseEngine, LooksTokensUpInEmbeddingsWithoutZeros) { compare(true); }

INSTANTIATE_TEST_SUITE_P(Checkpoints, SparseEngine, ::testing::ValuesIn(sparse_cases()),
                         [](const auto& test) {
                           std::string name = test.param.checkpoint + "_" +
                                              std::string(name_of(test.param.precision)) +
                                              (test.param.blocks ? "_blocks" : "_values");
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace kobolt
