// All of ../shared/data through every tokenizer, against hashes of what Hugging Face `tokenizers`
// makes of it (tests/golden/tokenizer_data.py).

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kobolt/tokenizer.h"
#include "tokenizer/polynomial_hash.h"
#include "tokenizer/test_files.h"

namespace kobolt {
namespace {

// Every how many chunks one is looked at. Sanitizers are slow; and what a tokenizer trained for the
// tests makes of the largest file is sampled unless KOBOLT_ALL_DATA is set.
std::size_t chunk_step(bool real_model, const std::string& file) {
#if defined(__SANITIZE_ADDRESS__)
  constexpr std::size_t sanitizer_step = 64;
  return file == "train" || !real_model ? sanitizer_step : 16;
#else
  constexpr std::size_t sample_step = 5;
  const bool all = real_model || file != "train" || std::getenv("KOBOLT_ALL_DATA") != nullptr;
  return all ? 1 : sample_step;
#endif
}

struct Entry {
  std::string tokenizer;
  std::string file;
  std::size_t chunk = 0;
  std::vector<std::string> ids;
  std::vector<std::string> text;
};

std::vector<Entry> golden_entries() {
  const auto golden = nlohmann::json::parse(read_file(test_data() / "shared_data.json"));
  std::vector<Entry> entries;
  for (const auto& entry : golden.at("entries")) {
    entries.push_back({entry.at("tokenizer"), entry.at("file"), golden.at("chunk"), entry.at("ids"),
                       entry.at("text")});
  }
  return entries;
}

class SharedData : public testing::TestWithParam<Entry> {};

TEST_P(SharedData, GivesTheIdsAndTextOfHuggingFace) {
  const Entry& entry = GetParam();
  const auto data = shared_files() / "data" / (entry.file + ".jsonl");
  if (!std::filesystem::exists(data)) GTEST_SKIP() << data << " is not there";
  const bool from_shared = entry.tokenizer.starts_with("shared/");
  const auto source = from_shared
                          ? shared_files().parent_path() / entry.tokenizer / "tokenizer.json"
                          : test_data() / "trained" / (entry.tokenizer + ".json");
  if (from_shared && !std::filesystem::exists(source)) GTEST_SKIP() << source << " is not there";
  const Tokenizer tokenizer = from_json(read_file(source));

  const std::size_t step = chunk_step(from_shared, entry.file);
  std::ifstream lines(data);
  std::string line;
  for (std::size_t chunk = 0; chunk < entry.ids.size(); ++chunk) {
    PolynomialHash ids_hash;
    PolynomialHash text_hash;
    for (std::size_t i = 0; i < entry.chunk && std::getline(lines, line); ++i) {
      if (chunk % step != 0) continue;
      const auto example = nlohmann::json::parse(line);
      for (const char* key : {"document", "summary"}) {
        const auto ids = tokenizer.encode(example.at(key).get_ref<const std::string&>());
        ids_hash.add(ids);
        text_hash.add(tokenizer.decode(ids));
      }
    }
    if (chunk % step != 0) continue;
    ASSERT_EQ(ids_hash.hex(), entry.ids[chunk]) << "ids of chunk " << chunk;
    ASSERT_EQ(text_hash.hex(), entry.text[chunk]) << "text of chunk " << chunk;
  }
  EXPECT_FALSE(std::getline(lines, line)) << "the data have more lines than the golden file";
}

INSTANTIATE_TEST_SUITE_P(All, SharedData, testing::ValuesIn(golden_entries()),
                         [](const testing::TestParamInfo<Entry>& entry) {
                           std::string name = entry.param.tokenizer + "_" + entry.param.file;
                           for (char& c : name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           }
                           return name;
                         });

}  // namespace
}  // namespace kobolt
