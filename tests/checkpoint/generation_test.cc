#include "checkpoint/generation.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

using nlohmann::json;

const std::string kFile = "generation_config.json";

template <typename T>
json maybe(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

template <typename T>
json list(const std::vector<T>& values) {
  return values.empty() ? json() : json(values);
}

json early_stopping(EarlyStopping value) {
  if (value == EarlyStopping::never) return "never";
  return value == EarlyStopping::yes;
}

// In the form of the golden file: None where nothing is set.
json as_json(const GenerationConfig& config) {
  return {
      {"max_length", maybe(config.max_length)},
      {"max_new_tokens", maybe(config.max_new_tokens)},
      {"min_length", config.min_length},
      {"min_new_tokens", maybe(config.min_new_tokens)},
      {"num_beams", config.num_beams},
      {"num_return_sequences", config.num_return_sequences},
      {"length_penalty", config.length_penalty},
      {"early_stopping", early_stopping(config.early_stopping)},
      {"repetition_penalty", config.repetition_penalty},
      {"no_repeat_ngram_size", config.no_repeat_ngram_size},
      {"encoder_no_repeat_ngram_size", config.encoder_no_repeat_ngram_size},
      {"encoder_repetition_penalty", config.encoder_repetition_penalty},
      {"bad_words_ids", list(config.bad_words_ids)},
      {"suppress_tokens", list(config.suppress_tokens)},
      {"begin_suppress_tokens", list(config.begin_suppress_tokens)},
      {"do_sample", config.do_sample},
      {"temperature", config.temperature},
      {"top_k", config.top_k},
      {"top_p", config.top_p},
      {"bos_token_id", maybe(config.bos_token_id)},
      {"pad_token_id", maybe(config.pad_token_id)},
      {"eos_token_id", list(config.eos_token_id)},
      {"decoder_start_token_id", maybe(config.decoder_start_token_id)},
      {"forced_bos_token_id", maybe(config.forced_bos_token_id)},
      {"forced_eos_token_id", list(config.forced_eos_token_id)},
  };
}

// One id and a list of one mean the same; Python's 1 means true.
json normalised(json expected) {
  for (const char* key : {"eos_token_id", "forced_eos_token_id"}) {
    if (expected[key].is_number()) expected[key] = json::array({expected[key]});
  }
  if (expected["early_stopping"] == 1) expected["early_stopping"] = true;
  return expected;
}

GenerationConfig parse(const json& test) {
  const auto config = test.at("config").get<std::string>();
  if (test.at("generation").is_null()) return generation_from_model_config(config, "config.json");
  return parse_generation_config(test.at("generation").get<std::string>(), kFile);
}

TEST(Generation, TakesTheSettingsThatTransformersTakes) {
  const json cases = json::parse(read_text_file(KOBOLT_TEST_DATA "/checkpoint/settings.json"));
  ASSERT_GE(cases.size(), 20U);
  for (const json& test : cases) {
    SCOPED_TRACE(test.at("name").get<std::string>());
    if (test.at("expected").is_null()) {
      EXPECT_THROW(parse(test), Error);
    } else {
      EXPECT_EQ(as_json(parse(test)), normalised(test.at("expected")));
    }
  }
}

// The field that the error names.
std::string refused_field(const std::string& text, ErrorKind kind) {
  try {
    parse_generation_config(text, kFile);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_EQ(error.detail().file, kFile);
    return error.detail().field;
  }
  return "nothing refused";
}

TEST(Generation, NamesTheFieldOfAValueThatMakesNoSense) {
  const auto corrupt = [](const std::string& text) {
    return refused_field(text, ErrorKind::corrupt);
  };
  EXPECT_EQ(corrupt(R"({"num_beams": 0})"), "num_beams");
  EXPECT_EQ(corrupt(R"({"num_beams": 4.0})"), "num_beams");
  EXPECT_EQ(corrupt(R"({"num_beams": "4"})"), "num_beams");
  EXPECT_EQ(corrupt(R"({"num_beams": 99999999999999999999})"), "num_beams");
  EXPECT_EQ(corrupt(R"({"max_length": -1})"), "max_length");
  EXPECT_EQ(corrupt(R"({"length_penalty": "long"})"), "length_penalty");
  EXPECT_EQ(corrupt(R"({"do_sample": 1})"), "do_sample");
  EXPECT_EQ(corrupt(R"({"eos_token_id": [1, "2"]})"), "eos_token_id");
  EXPECT_EQ(corrupt(R"({"eos_token_id": 3000000000})"), "eos_token_id");
  EXPECT_EQ(corrupt(R"({"bad_words_ids": [1]})"), "bad_words_ids");
  EXPECT_EQ(corrupt(R"({"bad_words_ids": [[]]})"), "bad_words_ids");
  EXPECT_EQ(corrupt(R"({"early_stopping": 2})"), "early_stopping");
}

TEST(Generation, RefusesStrategiesThatItDoesNotHave) {
  const auto unsupported = [](const std::string& text) {
    return refused_field(text, ErrorKind::unsupported);
  };
  EXPECT_EQ(unsupported(R"({"num_beam_groups": 2})"), "num_beam_groups");
  EXPECT_EQ(unsupported(R"({"penalty_alpha": 0.6})"), "penalty_alpha");
  EXPECT_EQ(unsupported(R"({"sequence_bias": [[[1], 2.0]]})"), "sequence_bias");
  EXPECT_EQ(unsupported(R"({"do_sample": true, "typical_p": 0.5})"), "typical_p");
  // Neutral values, and sampling settings without sampling, change nothing.
  EXPECT_NO_THROW(parse_generation_config(
      R"({"num_beam_groups": 1, "diversity_penalty": 0.0, "typical_p": 0.5, "min_p": 0.1})",
      kFile));
}

}  // namespace
}  // namespace kobolt
