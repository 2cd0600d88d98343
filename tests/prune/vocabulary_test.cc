#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"
#include "kobolt/evaluate.h"
#include "kobolt/prune.h"
#include "kobolt/tokenizer.h"
#include "tokenizer/test_files.h"

namespace kobolt {
namespace {

using testing::HasSubstr;

const std::filesystem::path kExamples = KOBOLT_SOURCE_DIR "/examples";

std::vector<std::string> corpus() {
  std::vector<std::string> texts;
  for (const Example& example : read_dataset(kExamples / "descriptions.jsonl")) {
    texts.push_back(example.document);
    texts.insert(texts.end(), example.references.begin(), example.references.end());
  }
  return texts;
}

// By token and by row of the embedding, not only by number.
TEST(Vocabulary, EveryTextKeepsItsTokens) {
  const Model before = Model::load(kExamples / "deb-bart");
  Model model = before;
  const std::vector<std::string> texts = corpus();
  const VocabularyReport report = prune_vocabulary(model, texts);
  EXPECT_EQ(report.before, before.config.vocab_size);
  EXPECT_EQ(report.after, model.config.vocab_size);
  EXPECT_LT(report.after, report.before * 3 / 4);
  const TemporaryFolder folder;
  save_checkpoint(model, folder.path(), DType::f32);
  const Model saved = Model::load(folder.path());
  EXPECT_EQ(saved.config, model.config);

  const Tokenizer old_tokenizer = Tokenizer::load(before.tokenizer, before.config.family);
  const Tokenizer new_tokenizer = Tokenizer::load(saved.tokenizer, saved.config.family);
  const std::vector<float> old_rows = before.tensor("model.shared.weight").to_f32();
  const std::vector<float> new_rows = saved.tensor("model.shared.weight").to_f32();
  const auto d = static_cast<std::size_t>(before.config.d_model);
  std::set<std::string> seen;
  for (const std::string& text : texts) {
    const auto old_ids = old_tokenizer.encode(text);
    const auto new_ids = new_tokenizer.encode(text);
    ASSERT_EQ(old_ids.size(), new_ids.size()) << text;
    for (std::size_t i = 0; i < old_ids.size(); ++i) {
      ASSERT_EQ(old_tokenizer.id_to_token(old_ids[i]), new_tokenizer.id_to_token(new_ids[i]));
      const std::size_t old_row = static_cast<std::size_t>(old_ids[i]) * d;
      const std::size_t new_row = static_cast<std::size_t>(new_ids[i]) * d;
      ASSERT_EQ(old_rows[old_row], new_rows[new_row]);
      ASSERT_EQ(old_rows[old_row + d - 1], new_rows[new_row + d - 1]);
    }
    EXPECT_EQ(old_tokenizer.decode(old_ids), new_tokenizer.decode(new_ids));
  }
  for (const auto& [was, is] :
       {std::pair(before.generation.eos_token_id, saved.generation.eos_token_id),
        std::pair(before.generation.forced_eos_token_id, saved.generation.forced_eos_token_id)}) {
    ASSERT_EQ(was.size(), is.size());
    for (std::size_t i = 0; i < was.size(); ++i) {
      EXPECT_EQ(old_tokenizer.id_to_token(was[i]), new_tokenizer.id_to_token(is[i]));
    }
  }
  EXPECT_EQ(old_tokenizer.id_to_token(*before.generation.decoder_start_token_id),
            new_tokenizer.id_to_token(*saved.generation.decoder_start_token_id));
  EXPECT_EQ(get_pruning_stats(saved).total_params, get_pruning_stats(before).total_params);
}

TEST(Vocabulary, OtherTextsCanStillBeSpelled) {
  Model model = Model::load(kExamples / "deb-bart");
  const Tokenizer before = Tokenizer::load(model.tokenizer, model.config.family);
  prune_vocabulary(model, std::vector<std::string>{"one text"});
  const Tokenizer after = Tokenizer::load(model.tokenizer, model.config.family);
  const std::string other = "quite different words";
  EXPECT_EQ(after.decode(after.encode(other)), before.decode(before.encode(other)));
  EXPECT_GT(after.encode(other).size(), before.encode(other).size());
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

// Every kind of tokenizer, over texts of many scripts; the others then are what they were.
TEST(Vocabulary, OfEveryKindOfTokenizer) {
  const auto hard_cases = nlohmann::json::parse(read_file(test_data() / "hard_cases.json"));
  std::vector<std::string> texts;
  for (const auto& text : hard_cases.at("texts")) {
    if (texts.size() < 60) texts.push_back(from_hex(text.get<std::string>()));
  }
  int kinds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test_data() / "trained")) {
    const Tokenizer before = from_json(read_file(entry.path()));
    Model model;
    model.tokenizer["tokenizer.json"] = read_file(entry.path());
    model.config.vocab_size = model.config.encoder_vocab_size = before.vocab_size();
    model.tensors["model.shared.weight"] =
        Tensor::from_f32({before.vocab_size(), 1},
                         std::vector<float>(static_cast<std::size_t>(before.vocab_size())));
    const VocabularyReport report = prune_vocabulary(model, texts);
    EXPECT_LT(report.after, report.before) << entry.path();
    EXPECT_EQ(model.tensor("model.shared.weight").shape[0], report.after);
    const Tokenizer after = from_json(model.tokenizer.at("tokenizer.json"));
    for (const std::string& text : texts) {
      const auto old_ids = before.encode(text);
      const auto new_ids = after.encode(text);
      ASSERT_EQ(old_ids.size(), new_ids.size()) << entry.path() << text;
      for (std::size_t i = 0; i < old_ids.size(); ++i) {
        EXPECT_EQ(before.id_to_token(old_ids[i]), after.id_to_token(new_ids[i])) << entry.path();
      }
    }
    ++kinds;
  }
  EXPECT_GE(kinds, 10);
}

TEST(Vocabulary, NeedsATokenizerJson) {
  Model model = Model::load(std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / "bart");
  try {
    prune_vocabulary(model, std::vector<std::string>{"text"});
    FAIL() << "pruned";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("tokenizer.json"));
  }
}

}  // namespace
}  // namespace kobolt
