#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kobolt/summarizer.h"
#include "runtime/generation_settings_json.h"

// Whole generation against transformers from the tiny checkpoint of each family: greedy and with
// the checkpoint's own beam settings, all documents in one ragged batch here and alone there.
namespace kobolt {
namespace {

class CheckpointGeneration : public ::testing::TestWithParam<std::string> {};

TEST_P(CheckpointGeneration, GivesTheIdsOfTransformers) {
  const auto folder = std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / GetParam();
  const auto expected = nlohmann::json::parse(std::ifstream(folder / "expected.json"));
  const std::vector<std::vector<std::int32_t>> documents = expected.at("documents");
  Summarizer summarizer(folder, {.threads = 2});
  for (const auto& [settings_name, result_name] :
       {std::pair("greedy_settings", "greedy"), std::pair("beam_settings", "beam")}) {
    for (const int rows : {1, 7, 64}) {
      SummarizeOptions options{.generation = summarizer.generation()};
      overlay_settings(options.generation, expected.at(settings_name));
      options.max_rows = rows;
      const auto summaries = summarizer.generate(documents, options);
      for (std::size_t i = 0; i < documents.size(); ++i) {
        EXPECT_EQ(summaries[i].tokens,
                  expected.at(result_name).at(i).get<std::vector<std::int32_t>>())
            << result_name << ", document " << i << ", " << rows << " rows";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, CheckpointGeneration,
                         ::testing::Values("bart", "bart-untied", "mbart", "mbart50", "marian",
                                           "marian-separate", "pegasus"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace kobolt
