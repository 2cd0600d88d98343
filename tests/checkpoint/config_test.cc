#include "checkpoint/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "checkpoint/refusal.h"

namespace kobolt {
namespace {

using testing::HasSubstr;

ModelConfig parse(const std::string& text) { return parse_model_config(text, "config.json"); }

Error config_refused(const std::string& text) {
  return refusal([&] { parse(text); });
}

TEST(Config, TakesTheDefaultsOfTheFamily) {
  const ModelConfig bart = parse(R"({"model_type": "bart"})");
  EXPECT_EQ(bart.vocab_size, 50265);
  EXPECT_EQ(bart.d_model, 1024);
  EXPECT_EQ(bart.max_positions, 1024);
  ASSERT_EQ(bart.encoder_layers.size(), 12U);
  EXPECT_EQ(bart.encoder_layers[0], (LayerConfig{16, 0, 64, 4096}));
  EXPECT_EQ(bart.decoder_layers[11], (LayerConfig{16, 16, 64, 4096}));
  EXPECT_EQ(bart.activation, Activation::gelu);
  EXPECT_FALSE(bart.scale_embedding);
  EXPECT_TRUE(bart.tied_output);
  EXPECT_EQ(bart.layer_norm_epsilon, 1e-5F);
  EXPECT_EQ(parse(R"({"model_type": "marian"})").vocab_size, 58101);
}

TEST(Config, ReadsTheCommonNamesAsTransformersDoes) {
  const ModelConfig config = parse(R"({"model_type": "bart", "hidden_size": 64, "d_model": 32,
      "num_hidden_layers": 3, "encoder_layers": 5, "decoder_layers": 2, "num_attention_heads": 4,
      "encoder_attention_heads": 8, "decoder_attention_heads": 2})");
  EXPECT_EQ(config.d_model, 64);
  EXPECT_EQ(config.encoder_layers.size(), 3U);
  EXPECT_EQ(config.decoder_layers.size(), 2U);
  EXPECT_EQ(config.encoder_layers[0].self_heads, 4);
  EXPECT_EQ(config.decoder_layers[0].cross_heads, 2);
  EXPECT_EQ(config.decoder_layers[0].head_dim, 32);
}

TEST(Config, MarianMayHaveTwoVocabularies) {
  const std::string sizes =
      R"({"model_type": "marian", "vocab_size": 100, "decoder_vocab_size": 60)";
  EXPECT_EQ(parse(sizes + "}").vocab_size, 100);
  const ModelConfig separate = parse(sizes + R"(, "share_encoder_decoder_embeddings": false})");
  EXPECT_EQ(separate.vocab_size, 60);
  EXPECT_EQ(separate.encoder_vocab_size, 100);
  EXPECT_FALSE(separate.shared_embedding);
  const ModelConfig zero = parse(R"({"model_type": "marian", "vocab_size": 100,
      "decoder_vocab_size": 0, "share_encoder_decoder_embeddings": false})");
  EXPECT_EQ(zero.vocab_size, 100);
}

TEST(Config, KnowsEveryNameOfAnActivation) {
  const auto activation = [](const std::string& name) {
    return parse(R"({"model_type": "bart", "activation_function": ")" + name + "\"}").activation;
  };
  EXPECT_EQ(activation("gelu"), Activation::gelu);
  EXPECT_EQ(activation("gelu_new"), Activation::gelu_new);
  EXPECT_EQ(activation("gelu_pytorch_tanh"), Activation::gelu_new);
  EXPECT_EQ(activation("relu"), Activation::relu);
  EXPECT_EQ(activation("silu"), Activation::silu);
  EXPECT_EQ(activation("swish"), Activation::silu);
  EXPECT_EQ(activation("tanh"), Activation::tanh);
  const Error error = refusal([&] { activation("gelu_fast"); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_THAT(error.what(), HasSubstr("gelu_fast"));
  EXPECT_THAT(error.what(), HasSubstr("gelu, gelu_new"));
}

TEST(Config, NamesAModelTypeThatIsNotSupported) {
  const Error error = config_refused(R"({"model_type": "t5"})");
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_EQ(error.detail().field, "model_type");
  EXPECT_THAT(error.what(), HasSubstr("\"t5\""));
  EXPECT_THAT(error.what(), HasSubstr("bart, mbart, marian, pegasus"));
  EXPECT_EQ(config_refused("{}").detail().field, "model_type");
}

// What every real config.json of the family carries is accepted; what it would only carry if the
// model had been trained with another arithmetic is not.
TEST(Config, AcceptsOldFieldsOnlyWhereTheyAgreeWithTheFamily) {
  EXPECT_NO_THROW(parse(R"({"model_type": "bart", "normalize_before": false,
      "add_final_layer_norm": false, "normalize_embedding": true, "extra_pos_embeddings": 2,
      "static_position_embeddings": false, "do_blenderbot_90_layernorm": false,
      "add_bias_logits": false, "classif_dropout": 0.1, "unheard_of": {"a": [1]}})"));
  EXPECT_NO_THROW(parse(R"({"model_type": "mbart", "normalize_before": true,
      "add_final_layer_norm": true, "normalize_embedding": true})"));
  EXPECT_NO_THROW(parse(R"({"model_type": "marian", "normalize_before": false,
      "normalize_embedding": false, "static_position_embeddings": true})"));
  EXPECT_NO_THROW(parse(R"({"model_type": "pegasus", "normalize_before": true,
      "add_final_layer_norm": true, "normalize_embedding": false,
      "static_position_embeddings": true})"));

  const Error error = config_refused(R"({"model_type": "bart", "normalize_before": true})");
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_EQ(error.detail().field, "normalize_before");
  EXPECT_EQ(
      config_refused(R"({"model_type": "marian", "normalize_embedding": true})").detail().field,
      "normalize_embedding");
}

TEST(Config, NamesTheFieldOfAValueThatMakesNoSense) {
  const auto field = [](const std::string& member) {
    const Error error = config_refused(R"({"model_type": "mbart", )" + member + "}");
    EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    EXPECT_EQ(error.detail().file, "config.json");
    return error.detail().field;
  };
  EXPECT_EQ(field(R"("d_model": 0)"), "d_model");
  EXPECT_EQ(field(R"("d_model": 1e300)"), "d_model");
  EXPECT_EQ(field(R"("d_model": 4294967297)"), "d_model");
  EXPECT_EQ(field(R"("vocab_size": "50265")"), "vocab_size");
  EXPECT_EQ(field(R"("encoder_layers": -1)"), "encoder_layers");
  EXPECT_EQ(field(R"("decoder_layers": 1000000000)"), "decoder_layers");
  EXPECT_EQ(field(R"("encoder_attention_heads": 7)"), "encoder_attention_heads");
  EXPECT_EQ(field(R"("scale_embedding": 1)"), "scale_embedding");
  EXPECT_EQ(field(R"("tie_word_embeddings": "yes")"), "tie_word_embeddings");
}

TEST(Config, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "{", "{\"model_type\": \"bart\"", "\xFF\xFE", "null",
                           "{\"model_type\": \"bart\", \"model_type\": \"bart\"}"}) {
    EXPECT_EQ(config_refused(text).kind(), ErrorKind::corrupt) << text;
  }
  EXPECT_EQ(config_refused("{\"a\": " + std::string(1'000'000, '[')).kind(), ErrorKind::corrupt);
}

}  // namespace
}  // namespace kobolt
