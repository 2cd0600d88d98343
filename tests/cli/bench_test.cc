// `kobolt bench` as the shell sees it: which fields there are, never how large they are.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/bench_report.h"
#include "cli/shell.h"

namespace kobolt::cli {
namespace {

using ::testing::HasSubstr;

const std::string kModel = KOBOLT_SOURCE_DIR "/examples/deb-bart";
const std::string kData = KOBOLT_SOURCE_DIR "/examples/descriptions.jsonl";

nlohmann::json measure(const std::string& flags) {
  const Result result = shell("bench " + kModel + " --json --quiet --warmup 1 " + flags);
  EXPECT_EQ(result.status, 0) << result.text;
  return nlohmann::json::parse(result.text);
}

void expect_ordered(const nlohmann::json& times) {
  double last = 0;
  for (const auto* name : {"min", "p50", "p90", "p95", "p99", "max"}) {
    EXPECT_GE(times.at(name).get<double>(), last) << name;
    last = times.at(name).get<double>();
  }
  EXPECT_GT(last, 0);
}

TEST(BenchProgramTest, MeasuresRandomDocumentsOfExactLength) {
  const auto json = measure("--batch 2 --sequence 16 --new-tokens 4 --beams 2 --iterations 3");
  EXPECT_EQ(json.at("latency").at("count"), 3);
  for (const auto* times : {"latency", "first_token", "per_token"}) expect_ordered(json.at(times));
  EXPECT_EQ(json.at("avg_time"), json.at("latency").at("average"));
  // 4 tokens of each document, whatever the model would have said.
  EXPECT_NEAR(json.at("tokens_per_second").get<double>(), 4 * json.at("throughput").get<double>(),
              1e-6);
  EXPECT_LE(json.at("first_token").at("max").get<double>(),
            json.at("latency").at("max").get<double>());
  EXPECT_GT(json.at("cold_start").at("first_token").get<double>(),
            json.at("cold_start").at("load").get<double>());
  const auto& memory = json.at("memory");
  EXPECT_LT(memory.at("weights"), memory.at("engine"));
  EXPECT_GT(memory.at("kv_cache"), 0);
  EXPECT_GT(memory.at("peak_resident"), memory.at("weights"));
  EXPECT_FALSE(json.contains("load"));
}

TEST(BenchProgramTest, TakesRealDocumentsAndAnOpenLoop) {
  const auto json = measure("--data " + kData +
                            " --limit 3 --new-tokens 5 --beams 1 --batch 2 --rate 1000 "
                            "--iterations 5");
  EXPECT_EQ(json.at("latency").at("count"), 5);
  EXPECT_EQ(json.at("load").at("rate"), 1000);
  expect_ordered(json.at("load").at("waiting"));
  EXPECT_GE(json.at("latency").at("max").get<double>(),
            json.at("load").at("waiting").at("max").get<double>());
}

TEST(BenchProgramTest, TheEncoderHasNoTokens) {
  const auto json = measure("--encoder-only --sequence 8 --iterations 2");
  EXPECT_FALSE(json.contains("first_token"));
  EXPECT_GT(json.at("tokens_per_second").get<double>(), 0);
}

// With a GPU of tests/cli/fake_nvml.cc. Documents come apart, so that there is time to look at it.
std::string bench_beside_gpu(const std::string& gpu, const std::string& flags) {
  const Result result = run_line(
      "LD_LIBRARY_PATH='" KOBOLT_FAKE_NVML "' " + gpu + " '" + KOBOLT_PROGRAM + "' bench " +
      kModel + " --sequence 8 --new-tokens 2 --rate 20 --iterations 12 " + "--quiet " + flags);
  EXPECT_EQ(result.status, 0) << result.text;
  return result.text;
}

TEST(BenchProgramTest, LooksAtTheGpu) {
  const auto json = nlohmann::json::parse(bench_beside_gpu("", "--json"));
  const auto& gpu = json.at("gpus").at(0);
  EXPECT_EQ(gpu.at("name"), "Imaginary GPU");
  EXPECT_GT(gpu.at("samples"), 1);
  EXPECT_EQ(gpu.at("utilization"), 0.25);
  EXPECT_EQ(gpu.at("memory"), 2000000000);
  EXPECT_EQ(gpu.at("memory_all"), 8000000000);
  EXPECT_EQ(gpu.at("power"), 50);
  EXPECT_FALSE(gpu.contains("error"));
  const auto silent = nlohmann::json::parse(bench_beside_gpu("KOBOLT_FAKE_GPU_SILENT=1", "--json"));
  EXPECT_FALSE(silent.at("gpus").at(0).contains("utilization"));
  EXPECT_FALSE(silent.at("gpus").at(0).contains("power"));
  EXPECT_EQ(silent.at("gpus").at(0).at("memory"), 2000000000);
}

TEST(BenchProgramTest, AGpuThatVanishesLosesNothing) {
  const auto json = nlohmann::json::parse(bench_beside_gpu("KOBOLT_FAKE_GPU_SAMPLES=1", "--json"));
  EXPECT_EQ(json.at("latency").at("count"), 12);
  const auto& gpu = json.at("gpus").at(0);
  EXPECT_EQ(gpu.at("samples"), 1);
  EXPECT_EQ(gpu.at("utilization"), 0.25);
  EXPECT_EQ(gpu.at("error"), "GPU is lost");
  const std::string text = bench_beside_gpu("KOBOLT_FAKE_GPU_SAMPLES=0", "");
  EXPECT_THAT(text, HasSubstr("Imaginary GPU; it answers no longer since sample 1: GPU is lost"));
  EXPECT_THAT(text, HasSubstr("latency"));
}

TEST(BenchProgramTest, ContradictionsAreWrongUse) {
  EXPECT_EQ(complain("bench m --iterations 2 --seconds 1").status, 2);
  EXPECT_EQ(complain("bench m --data " + kData + " --encoder-only").status, 2);
  EXPECT_EQ(complain("bench m --data " + kData + " --sequence 8").status, 2);
  EXPECT_EQ(complain("bench m --rate -1").status, 2);
  const Result result = complain("bench " + kModel + " --sequence 100000");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.text, HasSubstr("sequence: out of range"));
}

TEST(BenchProgramTest, TextNamesWhatCounts) {
  const Result result = shell("bench " + kModel + " --sequence 8 --new-tokens 3 --iterations 2");
  for (const auto* word : {"p95", "deviation", "to the first token", "cold start", "KV cache"}) {
    EXPECT_THAT(result.text, HasSubstr(word));
  }
}

TEST(FormatSeconds, ChoosesTheUnit) {
  EXPECT_EQ(format_seconds(0.00123), "1.23 ms");
  EXPECT_EQ(format_seconds(0.9), "900.00 ms");
  EXPECT_EQ(format_seconds(1.5), "1.50 s");
  EXPECT_EQ(format_seconds(250), "250 s");
}

}  // namespace
}  // namespace kobolt::cli
