// `kobolt prune` as a shell sees it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/mapped_file.h"
#include "checkpoint/temporary_folder.h"
#include "cli/shell.h"
#include "kobolt/model.h"

namespace kobolt::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// Standard output and standard error together.
Result run_prune(const std::string& arguments) { return shell("prune " + arguments + " 2>&1"); }

const std::string kBart = KOBOLT_TEST_DATA "/checkpoints/bart";

class PruneCommand : public ::testing::Test {
 protected:
  [[nodiscard]] std::string out(const std::string& name = "out") const {
    return (folder_.path() / name).string();
  }
  const TemporaryFolder folder_;
};

TEST_F(PruneCommand, SaysWhatItDidAndWritesStatistics) {
  const Result outcome = run_prune(kBart + " -o " + out() +
                                   " --method global --amount 0.4 --layers fc1 fc2 --verbose");
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  for (const char* part : {"global", "0.4", "fc1, fc2 (8 matrices)", "encoder.layers.0.fc1",
                           "decoder.layers.1.fc2", "compression ratio", "sparsity"}) {
    EXPECT_THAT(outcome.text, HasSubstr(part));
  }
  EXPECT_THAT(outcome.text, ::testing::Not(HasSubstr("q_proj")));
  const json stats = json::parse(read_text_file(out() + "/pruning_stats.json"));
  const int pruned = 1434;  // 0.4 of 2 x 2 x 512 + 2 x 2 x 384
  EXPECT_EQ(stats.at("pruned_params"), pruned);
  EXPECT_EQ(stats.at("active_params").get<int>() + pruned, stats.at("total_params").get<int>());
}

TEST_F(PruneCommand, JsonHasTheSameNumbers) {
  const Result outcome = run_prune(kBart + " -o " + out() + " --method structured --dim 1 --json");
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  const json result = json::parse(outcome.text);
  const json stats = json::parse(read_text_file(out() + "/pruning_stats.json"));
  for (const char* key :
       {"total_params", "pruned_params", "active_params", "sparsity", "compression_ratio"}) {
    EXPECT_EQ(result.at(key), stats.at(key)) << key;
  }
  EXPECT_EQ(result.at("target_layers").size(), 32U);
}

TEST_F(PruneCommand, PatternsAreReported) {
  const std::string common = kBart + " --json -o " + out();
  const Result groups = run_prune(common + " --pattern 2:4 --amount 0.1");
  ASSERT_EQ(groups.status, 0) << groups.text;
  json result = json::parse(groups.text);
  EXPECT_EQ(result.at("pattern"), "2:4");
  EXPECT_EQ(result.at("amount"), 0.5);
  for (const json& layer : result.at("layers")) EXPECT_EQ(layer.at("sparsity"), 0.5) << layer;
  const Result blocks = run_prune(common + " --method global --pattern 16x1 --amount 0.25");
  ASSERT_EQ(blocks.status, 0) << blocks.text;
  result = json::parse(blocks.text);
  EXPECT_EQ(result.at("amount"), 0.25);
  EXPECT_GT(result.at("pruned_params"), 0);
  const Result text = run_prune(kBart + " --method global --pattern 16x1 -o " + out());
  EXPECT_THAT(text.text, HasSubstr("global, 16x1"));
}

TEST_F(PruneCommand, TimeIsMeasuredBeforeItIsSpent) {
  const Result outcome =
      run_prune(kBart + " --json --quiet --permanent --method global --unit whole --budget time " +
                "--amount 0.01 --threads 1 -o " + out());
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  const json result = json::parse(outcome.text);
  EXPECT_GT(result.at("measured").at("seconds"), 0);
  EXPECT_EQ(result.at("measured").at("microseconds_of_one").size(), 5U);
}

/// Writes `model` with its first `positions` positions and without beams as a checkpoint. A sweep
/// times as many tokens as the model can take.
void save_shorter(Model model, std::int64_t positions, const fs::path& folder) {
  for (const char* stack : {"encoder", "decoder"}) {
    Tensor& table = model.tensors.at(std::string("model.") + stack + ".embed_positions.weight");
    const auto bytes_of_row = table.bytes.size() / static_cast<std::size_t>(table.shape[0]);
    table.shape[0] = positions + 2;
    table.bytes = table.bytes.first(bytes_of_row * static_cast<std::size_t>(table.shape[0]));
  }
  model.config.max_positions = static_cast<int>(positions);
  json config = json::parse(model.raw_config);
  config["max_position_embeddings"] = positions;
  model.raw_config = config.dump();
  json generation = json::parse(model.raw_generation_config);
  generation["num_beams"] = 1;
  model.raw_generation_config = generation.dump();
  save_checkpoint(model, folder, DType::f16);
}

TEST_F(PruneCommand, SweepsAndGoesOn) {
  const std::string example = KOBOLT_SOURCE_DIR "/examples/";
  // A smaller model: what is timed is the same work for each.
  ASSERT_EQ(run_prune(example + "deb-bart --quiet -o " + out("large") +
                      " --method layers --encoder-layers 1 --decoder-layers 1 --vocab " + example +
                      "descriptions.jsonl")
                .status,
            0);
  save_shorter(Model::load(out("large")), 62, out("small"));
  const std::string common = out("small") + " --limit 3 --data " + example +
                             "descriptions.jsonl --sweep-methods global+16x1 structured+whole "
                             "--json -o " +
                             out("sweep") + " --sweep ";
  const Result first = run_prune(common + "0,0.25");
  ASSERT_EQ(first.status, 0) << first.text;
  const json before = json::parse(first.text);
  ASSERT_EQ(before.at("points").size(), 3U);
  EXPECT_EQ(before.at("points")[0].at("method"), "dense");
  EXPECT_EQ(before.at("points")[0].at("speedup"), 1);
  for (const json& point : before.at("points")) {
    EXPECT_GT(point.at("seconds"), 0) << point;
    EXPECT_GT(point.at("peak_memory"), point.at("file_bytes")) << point;
    if (point.at("method") != "dense") {
      EXPECT_GT(point.at("sparsity"), 0.1) << point;
      EXPECT_LT(point.at("file_bytes"), before.at("points")[0].at("file_bytes")) << point;
    }
  }
  // One point is lost, another one is wanted, and one is not what it was: it is not measured again.
  fs::remove(out("sweep") + "/points/global+16x1@0.25.json");
  json known = json::parse(read_text_file(out("sweep") + "/points/structured+whole@0.25.json"));
  known["seconds"] = 12345.0;
  std::ofstream(out("sweep") + "/points/structured+whole@0.25.json") << known;
  const Result second = run_prune(common + "0.25,0.5");
  ASSERT_EQ(second.status, 0) << second.text;
  const json after = json::parse(second.text);
  ASSERT_EQ(after.at("points").size(), 5U);
  EXPECT_EQ(after.at("points")[0], before.at("points")[0]);
  EXPECT_EQ(after.at("points")[1].at("rouge_l"), before.at("points")[1].at("rouge_l"));
  EXPECT_EQ(after.at("points")[3].at("seconds"), 12345.0);
  for (const char* file : {"sweep.json", "sweep.csv", "sweep.md", "sweep.svg"}) {
    EXPECT_THAT(read_text_file(out("sweep") + "/" + file), HasSubstr("structured+whole")) << file;
  }
  EXPECT_EQ(json::parse(read_text_file(out("sweep") + "/sweep.json")), after);
  for (const char* engine : {"/dense.kobolt", "/pruned.kobolt"}) {
    EXPECT_FALSE(fs::exists(out("sweep") + engine));
  }
  const Result other = run_prune(common + "0.25 --precision fp32");
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.text, HasSubstr("precision"));
}

// The file in the repository holds every option, with its default.
TEST_F(PruneCommand, TheConfigurationFileChangesNothing) {
  ASSERT_EQ(run_prune(kBart + " --quiet -o " + out("plain")).status, 0);
  const Result outcome = run_prune(kBart + " --quiet -o " + out("file") + " --config " +
                                   KOBOLT_SOURCE_DIR + "/configs/inference/pruning.yaml");
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  for (const auto& entry : fs::directory_iterator(out("plain"))) {
    const fs::path name = entry.path().filename();
    EXPECT_EQ(read_text_file(entry.path()), read_text_file(fs::path(out("file")) / name)) << name;
  }
  const std::string yaml = read_text_file(KOBOLT_SOURCE_DIR "/configs/inference/pruning.yaml");
  const std::string help = run_prune("--help").text;
  for (std::size_t at = help.find("\n  --"); at != std::string::npos;
       at = help.find("\n  --", at + 1)) {
    const std::size_t end = help.find_first_of(" ,\n", at + 5);
    const std::string option = help.substr(at + 5, end - at - 5);
    if (option == "json" || option == "quiet" || option == "threads" || option == "config" ||
        option == "help") {
      continue;
    }
    EXPECT_THAT(yaml, HasSubstr(option + ":")) << option;
  }
}

TEST_F(PruneCommand, PairsCanBePrunedFurtherAndZerosCannot) {
  ASSERT_EQ(
      run_prune(kBart + " --quiet -o " + out("pairs") + " --amount 0.5 --format pairs").status, 0);
  const Result again = run_prune(out("pairs") + " --json -o " + out("more") + " --amount 0.5");
  ASSERT_EQ(again.status, 0) << again.text;
  const json report = json::parse(again.text);
  ASSERT_FALSE(report.at("layers").empty());
  for (const json& layer : report.at("layers")) {
    EXPECT_EQ(layer.at("sparsity"), 0.75) << layer;
  }
  const Result refused = run_prune(out("more") + " -o " + out("refused"));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.text, HasSubstr("permanently"));
  EXPECT_FALSE(fs::exists(out("refused")));
}

TEST_F(PruneCommand, PermanentSaysWhatVanished) {
  const std::string options = " --method structured --unit whole --amount 0.5 ";
  const Result ragged = run_prune(kBart + " -o " + out("ragged") + options + "--permanent");
  ASSERT_EQ(ragged.status, 0) << ragged.text;
  EXPECT_THAT(ragged.text, HasSubstr("10 heads, 56 ffn neurons"));
  EXPECT_THAT(ragged.text, HasSubstr("transformers cannot load"));
  const Result uniform = run_prune(kBart + " -o " + out("uniform") + options + "--uniform");
  ASSERT_EQ(uniform.status, 0) << uniform.text;
  EXPECT_THAT(uniform.text, HasSubstr("0 heads, 56 ffn neurons"));
  EXPECT_THAT(uniform.text, HasSubstr("heads that fill d_model"));
  EXPECT_THAT(uniform.text, ::testing::Not(HasSubstr("cannot load")));
}

TEST_F(PruneCommand, WritesNothingWhenItFails) {
  const auto refuse = [&](const std::string& arguments, int status, const char* part) {
    const Result outcome = run_prune(arguments + " -o " + out("refused"));
    EXPECT_EQ(outcome.status, status) << arguments;
    EXPECT_THAT(outcome.text, HasSubstr(part)) << arguments;
    EXPECT_FALSE(fs::exists(out("refused"))) << arguments;
  };
  refuse(kBart + " --amount 1.5", 2, "--amount");
  refuse(kBart + " --amount nan", 1, "0 to 1");
  refuse(kBart + " --method l1", 2, "--method");
  refuse(kBart + " --pattern 4:2", 2, "n:m such as 2:4");
  refuse(kBart + " --pattern 16x1 --method structured", 1, "single weights");
  refuse(kBart + " --score hessian", 2, "magnitude,wanda,taylor");
  refuse(kBart + " --score taylor", 2, "--data");
  refuse(kBart + " --score wanda", 2, "--data");
  refuse(kBart + " --budget time", 2, "--unit whole");
  refuse(kBart + " --sweep 0.1", 2, "--data");
  refuse(kBart + " --sweep 0,2", 2, "an amount that makes no sense");
  refuse(kBart + " --sweep 0.1 --sweep-methods global+x", 2, "no such pattern");
  refuse(kBart + " --sweep 0.1,2 --data " + kBart + "/config.json", 2, "below 1");
  refuse(kBart + " --layers fc3", 1, "fc1");
  refuse(kBart + " --layers lm_head", 1, "output projection");
  refuse(kBart + " --method structured --unit whole --amount 0.9", 1, "every head");
  refuse(kBart + " --permanent --format pairs", 2, "--format masked");
  refuse(kBart + " --method layers", 2, "--drop");
  refuse(kBart + " --method layers --drop decoder.layers.9", 1, "decoder.layers.*");
  refuse(kBart + " --method layers --decoder-layers 3", 1, "1 to 2");
  refuse(kBart + " --vocab " + kBart + "/config.json", 1, "");
  refuse("nowhere", 1, "nowhere");
}

TEST_F(PruneCommand, DropsLayersAndTokens) {
  const std::string example = KOBOLT_SOURCE_DIR "/examples/deb-bart";
  const Result outcome =
      run_prune(example + " -o " + out() + " --method layers --decoder-layers 1 --vocab " +
                KOBOLT_SOURCE_DIR + "/examples/descriptions.jsonl --json");
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  const json result = json::parse(outcome.text);
  const json config = json::parse(read_text_file(out() + "/config.json"));
  EXPECT_EQ(config.at("decoder_layers"), 1);
  EXPECT_EQ(config.at("vocab_size"), result.at("vocabulary").at("after"));
  EXPECT_LT(result.at("vocabulary").at("after"), result.at("vocabulary").at("before"));
  EXPECT_GT(result.at("sparsity"), 0.1);
}

// The layer that goes is the one without which the model scores best, and the score is that of what
// was written.
TEST_F(PruneCommand, DropsTheLayerThatMattersLeast) {
  const std::string example = KOBOLT_SOURCE_DIR "/examples/deb-bart";
  const std::string data =
      std::string(" --data ") + KOBOLT_SOURCE_DIR + "/examples/descriptions.jsonl --limit 4 --json";
  const auto score = [&](const std::string& folder) {
    const Result outcome = shell("eval " + folder + data + " --precision int8 2>&1");
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    return json::parse(outcome.text).at("rouge").at("rougeL").at("f").at("mean").get<double>();
  };
  const int layers =
      json::parse(read_text_file(example + "/config.json")).at("decoder_layers").get<int>();
  const Result outcome = run_prune(example + " -o " + out() + " --method layers --decoder-layers " +
                                   std::to_string(layers - 1) + data);
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  const json importance = json::parse(outcome.text).at("importance");
  ASSERT_EQ(importance.size(), 1U);
  EXPECT_DOUBLE_EQ(importance[0].at("rouge_l_without"), score(out()));
  for (int layer = 0; layer < layers; ++layer) {
    const std::string other = out("without" + std::to_string(layer));
    ASSERT_EQ(run_prune(example + " --quiet -o " + other +
                        " --method layers --drop decoder.layers." + std::to_string(layer))
                  .status,
              0);
    EXPECT_LE(score(other), importance[0].at("rouge_l_without").get<double>() + 1e-12) << layer;
  }
}

}  // namespace
}  // namespace kobolt::cli
