#include "gradient/labels.h"

#include <gtest/gtest.h>

#include "kobolt/error.h"

namespace kobolt {
namespace {

using Ids = std::vector<std::int32_t>;

Model labelled_model(Family family) {
  Model model;
  model.config.family = family;
  model.config.max_positions = 5;
  model.generation.eos_token_id = {2};
  model.generation.decoder_start_token_id = 2;
  return model;
}

TEST(SummaryLabels, EndWithTheEnd) {
  const Model model = labelled_model(Family::bart);
  EXPECT_EQ(summary_labels({0, 7, 8, 2}, model), (Ids{0, 7, 8, 2}));
  EXPECT_EQ(summary_labels({7, 8}, model), (Ids{7, 8, 2}));
  EXPECT_EQ(summary_labels({}, model), (Ids{2}));
  // No longer than the model's positions.
  EXPECT_EQ(summary_labels({7, 8, 9, 10, 11}, model), (Ids{7, 8, 9, 10, 2}));
  EXPECT_EQ(shift_right({0, 7, 8, 2}, model), (Ids{2, 0, 7, 8}));
}

TEST(SummaryLabels, OfMbartHaveTheLanguageOfSummaries) {
  Model model = labelled_model(Family::mbart);
  model.generation.decoder_start_token_id = 250;
  EXPECT_EQ(summary_labels({7, 8, 2, 251}, model), (Ids{7, 8, 2, 250}));
  EXPECT_EQ(shift_right({7, 8, 2, 250}, model), (Ids{250, 7, 8, 2}));
}

TEST(SummaryLabels, OfMbart50HaveTheLanguageOfSummaries) {
  Model model = labelled_model(Family::mbart);
  model.generation.forced_bos_token_id = 250;
  EXPECT_EQ(summary_labels({251, 7, 8, 2}, model), (Ids{250, 7, 8, 2}));
  EXPECT_EQ(shift_right({250, 7, 8, 2}, model), (Ids{2, 250, 7, 8}));
  model.generation.forced_bos_token_id.reset();
  EXPECT_EQ(summary_labels({251, 7, 8, 2}, model), (Ids{251, 7, 8, 2}));
  // A tokenizer that knows nothing of languages or ends.
  EXPECT_EQ(summary_labels({7, 8}, model), (Ids{7, 8, 2}));
}

TEST(SummaryLabels, NeedAStart) {
  Model model = labelled_model(Family::bart);
  model.generation.decoder_start_token_id.reset();
  EXPECT_THROW((void)shift_right({7, 2}, model), Error);
  model.generation.bos_token_id = 4;
  EXPECT_EQ(shift_right({7, 2}, model), (Ids{4, 7}));
}

TEST(SummaryTokenizer, OfMarianReadsItsOwnFiles) {
  const TokenizerFiles files = {
      {"source.spm", "s"}, {"target.spm", "t"}, {"vocab.json", "v"}, {"target_vocab.json", "w"}};
  const TokenizerFiles own = summary_tokenizer_files(files, Family::marian);
  EXPECT_EQ(own.at("source.spm"), "t");
  EXPECT_EQ(own.at("vocab.json"), "w");
  EXPECT_EQ(summary_tokenizer_files(files, Family::bart), files);
  const TokenizerFiles shared = {{"source.spm", "s"}, {"target.spm", "t"}, {"vocab.json", "v"}};
  EXPECT_EQ(summary_tokenizer_files(shared, Family::marian).at("vocab.json"), "v");
}

}  // namespace
}  // namespace kobolt
