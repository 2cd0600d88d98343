#include "kobolt/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "benchmark/profile_sums.h"

namespace kobolt {
namespace {

using ::testing::HasSubstr;

// Two batches of one phase of 4 s that holds two operators, in layers 0 and 1.
std::vector<TraceEvent> events_of_a_batch() {
  const Cost cost{.operations = 2e9, .bytes = 1e9};
  return {
      {.phase = Phase::encode, .begin = 0, .end = 4},
      {.phase = Phase::encode, .name = "ffn in", .layer = 0, .cost = cost, .begin = 0, .end = 1},
      {.phase = Phase::encode, .name = "ffn in", .layer = 1, .cost = cost, .begin = 1, .end = 3},
      {.phase = Phase::encode, .name = "norm", .layer = 1, .begin = 3, .end = 3.5},
      {.phase = Phase::search, .begin = 4, .end = 5}};
}

TEST(ProfileSumsTest, AddsUpByPhaseOperatorAndLayer) {
  // The arithmetic of a call takes at least 1 s, its bytes half of that.
  ProfileCollector collector(MachineCeilings{.fp32 = 2e9, .pairs = 4e9, .read = 2e9});
  collector.add_batch(events_of_a_batch());
  collector.add_batch(events_of_a_batch());
  const ProfileSums sums = collector.sums();
  ASSERT_EQ(sums.phases.size(), 2U);
  EXPECT_EQ(sums.phases[0].seconds, 4);
  EXPECT_EQ(sums.phases[0].operations, 4e9);
  EXPECT_EQ(sums.phases[0].share_of_ceiling(), 0.5);
  EXPECT_EQ(sums.phases[1].seconds, 1);
  ASSERT_EQ(sums.operators.size(), 2U);
  EXPECT_EQ(sums.operators[0].name, "ffn in");
  EXPECT_EQ(sums.operators[0].calls, 2);
  EXPECT_EQ(sums.operators[0].seconds, 3);
  EXPECT_DOUBLE_EQ(sums.operators[0].share_of_ceiling(), 2.0 / 3);
  ASSERT_EQ(sums.layers.size(), 2U);
  EXPECT_EQ(sums.layers[1].layer, 1);
  EXPECT_EQ(sums.layers[1].seconds, 2.5);
  EXPECT_EQ(sums.details.size(), 3U);
}

TEST(ChromeTraceTest, IsJsonOfNestedEvents) {
  const auto json = nlohmann::json::parse(chrome_trace(events_of_a_batch()));
  const auto& events = json.at("traceEvents");
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[0].at("name"), "encode");
  EXPECT_EQ(events[2].at("name"), "ffn in 1");
  EXPECT_EQ(events[2].at("ts"), 1e6);
  EXPECT_EQ(events[2].at("dur"), 2e6);
  EXPECT_EQ(events[2].at("args").at("operations"), 2e9);
  EXPECT_EQ(nlohmann::json::parse(chrome_trace({})).at("traceEvents").size(), 0U);
}

class ProfileTest : public ::testing::Test {
 protected:
  Summarizer summarizer_{KOBOLT_SOURCE_DIR "/examples/deb-bart", {.threads = 2}};
  ProfileOptions options_{
      .work = {
          .batch = 2, .sequence = 9, .beams = 3, .new_tokens = 5, .iterations = 2, .warmup = 1}};
};

const ProfileEntry* find(const std::vector<ProfileEntry>& entries, Phase phase,
                         const std::string& name, int layer) {
  for (const ProfileEntry& entry : entries) {
    if (entry.phase == phase && entry.name == name && entry.layer == layer) return &entry;
  }
  return nullptr;
}

TEST_F(ProfileTest, CountsTheWorkThatWasAskedFor) {
  const Profile result = profile(summarizer_, options_);
  const ModelConfig& config = summarizer_.config();
  const double d = config.d_model;
  const double ffn = config.encoder_layers[0].ffn;
  const ProfileEntry* in = find(result.details, Phase::encode, "ffn in", 0);
  ASSERT_NE(in, nullptr);
  EXPECT_EQ(in->calls, 1);
  EXPECT_EQ(in->operations, 2.0 * 2 * 9 * d * ffn);

  // Five tokens of two documents, beams alike at the first; the last one is the forced end.
  const ProfileEntry* projection = find(result.operators, Phase::decode, "output projection", -1);
  ASSERT_NE(projection, nullptr);
  const double rows = projection->operations / (2.0 * d * config.vocab_size);
  EXPECT_EQ(projection->calls, 5);
  EXPECT_EQ(rows, 2 * (1 + 4 * 3));

  // Every layer is there, and nothing takes longer than what holds it.
  std::size_t layers = config.encoder_layers.size() + config.decoder_layers.size();
  for (const ProfileEntry& layer : result.layers) {
    if (layer.phase == Phase::decode || !find(result.details, layer.phase, "ffn in", layer.layer)) {
      continue;
    }
    EXPECT_GT(layer.seconds, 0);
  }
  EXPECT_GE(result.layers.size(), layers);
  double phases = 0;
  for (const ProfileEntry& phase : result.phases) {
    double operators = 0;
    for (const ProfileEntry& entry : result.operators) {
      if (entry.phase == phase.phase) operators += entry.seconds;
    }
    EXPECT_LE(operators, phase.seconds);
    phases += phase.seconds;
  }
  EXPECT_LE(phases, result.seconds);
  EXPECT_THAT(result.bottleneck, HasSubstr("% of the time"));
}

TEST_F(ProfileTest, TextsHaveAllFivePhases) {
  options_.work.documents = {"A tool that lists files.", "Fonts for Korean."};
  const Profile result = profile(summarizer_, options_);
  ASSERT_EQ(result.phases.size(), 5U);
  EXPECT_EQ(result.phases.front().phase, Phase::tokenize);
  EXPECT_EQ(result.phases.back().phase, Phase::detokenize);
}

TEST_F(ProfileTest, SummariesAreTheSameWithAndWithoutATrace) {
  const std::vector<std::vector<std::int32_t>> ids{{5, 6, 7, 8}};
  const SummarizeOptions settings{.generation = summarizer_.generation()};
  const auto without = summarizer_.generate(ids, settings);
  Trace trace;
  summarizer_.set_trace(&trace);
  const auto with = summarizer_.generate(ids, settings);
  summarizer_.set_trace(nullptr);
  const std::size_t events = trace.events().size();
  EXPECT_GT(events, 0U);
  EXPECT_EQ(with[0].tokens, without[0].tokens);
  (void)summarizer_.generate(ids, settings);
  EXPECT_EQ(trace.events().size(), events);  // none when off
}

}  // namespace
}  // namespace kobolt
