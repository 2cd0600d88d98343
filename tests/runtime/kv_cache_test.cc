#include "kobolt/kv_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "compile/compile_to_memory.h"
#include "kobolt/error.h"
#include "runtime/engine.h"

namespace kobolt {
namespace {

using Ids = std::vector<std::int32_t>;

std::vector<std::string> checkpoints() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(
           std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints")) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// Logits of `steps` steps of three documents with 1, 4 and 3 beams that change places.
std::vector<float> logits_of(const std::filesystem::path& checkpoint, KvCache format) {
  constexpr int kSteps = 6;
  const std::vector<int> beams = {1, 4, 3};
  ThreadPool pool(2);
  Engine engine(compile_to_memory(Model::load(checkpoint), {}), pool, format);
  EXPECT_EQ(engine.kv_cache(), format == KvCache::automatic ? KvCache::fp32 : format);
  const std::int32_t vocabulary =
      std::min(engine.config().vocab_size, engine.config().encoder_vocab_size);
  std::vector<Ids> documents(beams.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    for (std::size_t j = 0; j < 5 + 6 * i; ++j) {
      documents[i].push_back(static_cast<std::int32_t>(7 * i + 3 * j + 1) % vocabulary);
    }
  }
  const auto handles = engine.encode(documents, 4, kSteps);
  std::vector<float> all;
  for (int step = 0; step < kSteps; ++step) {
    std::vector<StepRow> rows;
    for (std::size_t i = 0; i < handles.size(); ++i) {
      for (int beam = 0; beam < beams[i]; ++beam) {
        const int parent = step == 0 ? 0 : (beam * 3 + step) % beams[i];
        rows.push_back({handles[i], (step * 5 + beam * 2 + 1) % vocabulary, parent});
      }
    }
    std::vector<float> logits(rows.size() * static_cast<std::size_t>(engine.vocab_size()));
    engine.step(rows, logits);
    all.insert(all.end(), logits.begin(), logits.end());
  }
  return all;
}

class KvCacheFormats : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Checkpoints, KvCacheFormats, ::testing::ValuesIn(checkpoints()),
                         [](const auto& checkpoint) {
                           std::string name = checkpoint.param;
                           std::ranges::replace_if(
                               name, [](char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

TEST_P(KvCacheFormats, NarrowCachesChangeLogitsByTheirRounding) {
  const auto checkpoint = std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / GetParam();
  const std::vector<float> exact = logits_of(checkpoint, KvCache::fp32);
  EXPECT_EQ(logits_of(checkpoint, KvCache::automatic), exact);
  double magnitude = 0;
  for (const float value : exact) magnitude = std::max(magnitude, std::abs(double{value}));
  const auto error = [&](KvCache format) {
    const std::vector<float> found = logits_of(checkpoint, format);
    double largest = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      largest = std::max(largest, std::abs(double{found[i]} - double{exact[i]}));
      if (std::isnan(found[i])) return double{INFINITY};
    }
    return largest / magnitude;
  };
  // Rounding to 2^-12 and 2^-8 of a value, in every layer, twice; the layers that follow may
  // amplify it. Something must differ, or the cache would still be in float32.
  const double fp16 = error(KvCache::fp16);
  EXPECT_GT(fp16, 0);
  EXPECT_LT(fp16, 0x1p-9);
  const double int8 = error(KvCache::int8);
  EXPECT_GT(int8, fp16);
  EXPECT_LT(int8, 0x1p-5);
}

TEST(KvCacheNames, AreReadBack) {
  for (const KvCache format : {KvCache::automatic, KvCache::fp32, KvCache::fp16, KvCache::int8}) {
    EXPECT_EQ(kv_cache_from_name(name_of(format)), format);
  }
  EXPECT_THROW(kv_cache_from_name("int4"), Error);
}

TEST(KvCacheNames, AutomaticIsAsNarrowAsTheWeights) {
  const auto checkpoint =
      std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / checkpoints()[0];
  ThreadPool pool(1);
  for (const auto& [precision, expected] : {std::pair{Precision::fp32, KvCache::fp32},
                                            {Precision::fp16, KvCache::fp16},
                                            {Precision::bf16, KvCache::fp16},
                                            {Precision::int8, KvCache::int8},
                                            {Precision::int4, KvCache::int8}}) {
    const Engine engine(compile_to_memory(Model::load(checkpoint), {.precision = precision}), pool);
    EXPECT_EQ(engine.kv_cache(), expected) << name_of(precision);
  }
}

}  // namespace
}  // namespace kobolt
