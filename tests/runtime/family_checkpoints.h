#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/golden_checkpoints.h"
#include "kobolt/summarizer.h"
#include "runtime/generation_settings_json.h"

/// What transformers generates from the checkpoints of golden_checkpoints.h.
namespace kobolt {

using TokenRows = std::vector<std::vector<std::int32_t>>;

inline std::filesystem::path family_folder(const std::string& name) { return kCheckpoints / name; }

inline nlohmann::json golden_of_family(const std::string& name) {
  return nlohmann::json::parse(std::ifstream(family_folder(name) / "expected.json"));
}

/// Summaries of all documents, with at most so many rows at a time.
using GenerateIds =
    std::function<TokenRows(const TokenRows& documents, const GenerationConfig& config, int rows)>;

/// Greedily and with the checkpoint's own beam settings `generate` gives what transformers gives.
/// With few rows documents join in mid-decode.
inline void expect_golden_ids(const nlohmann::json& golden, const GenerationConfig& settings,
                              const GenerateIds& generate) {
  const TokenRows documents = golden.at("documents");
  for (const auto& [settings_name, result_name] :
       {std::pair("greedy_settings", "greedy"), std::pair("beam_settings", "beam")}) {
    GenerationConfig config = settings;
    overlay_settings(config, golden.at(settings_name));
    for (const int rows : {1, 7, 64}) {
      const TokenRows found = generate(documents, config, rows);
      for (std::size_t i = 0; i < documents.size(); ++i) {
        EXPECT_EQ(found[i], golden.at(result_name).at(i).get<std::vector<std::int32_t>>())
            << result_name << ", document " << i << ", " << rows << " rows";
      }
    }
  }
}

inline void expect_golden_ids(const nlohmann::json& golden, Summarizer& summarizer) {
  expect_golden_ids(golden, summarizer.generation(),
                    [&](const TokenRows& documents, const GenerationConfig& config, int rows) {
                      SummarizeOptions options{.generation = config};
                      options.max_rows = rows;
                      TokenRows ids;
                      for (const auto& summary : summarizer.generate(documents, options)) {
                        ids.push_back(summary.tokens);
                      }
                      return ids;
                    });
}

}  // namespace kobolt
