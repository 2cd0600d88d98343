#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"
#include "kobolt/prune.h"
#include "kobolt/summarizer.h"
#include "kobolt/torchscript.h"
#include "runtime/family_checkpoints.h"

// LibTorch as a back end, eager and by TorchScript, against transformers and against Kobolt's own
// engine, for every family.
namespace kobolt {
namespace {

// Where the build has put the component.
[[maybe_unused]] const int kComponentFolder =
    ::setenv("KOBOLT_COMPONENTS", KOBOLT_COMPONENT_FOLDER, 1);

void expect_close(const std::vector<std::vector<float>>& ours,
                  const std::vector<std::vector<float>>& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ASSERT_EQ(ours[i].size(), theirs[i].size());
    for (std::size_t j = 0; j < ours[i].size(); ++j) {
      ASSERT_NEAR(ours[i][j], theirs[i][j], 1e-4F * (1 + std::abs(theirs[i][j]))) << i << ", " << j;
    }
  }
}

class LibTorch : public ::testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] std::filesystem::path folder() const { return family_folder(GetParam()); }
  [[nodiscard]] nlohmann::json golden() const { return golden_of_family(GetParam()); }
};

TEST_P(LibTorch, EagerGivesTheIdsOfTransformers) {
  Summarizer torch(folder(), {.threads = 2, .backend = EngineBackend::torch});
  EXPECT_THAT(std::string(torch.instruction_set()), testing::HasSubstr("eager"));
  expect_golden_ids(golden(), torch);
}

TEST_P(LibTorch, ScriptGivesTheIdsOfTransformers) {
  const TemporaryFolder temporary;
  const auto file = temporary.path() / "model.pt";
  export_torchscript(Model::load(folder()), file);
  Summarizer torch(file, {.threads = 2});
  EXPECT_THAT(std::string(torch.instruction_set()), testing::HasSubstr("TorchScript"));
  EXPECT_EQ(torch.config(), Summarizer(folder(), {.threads = 1}).config());
  EXPECT_EQ(torch.engine_bytes(), std::filesystem::file_size(file));
  expect_golden_ids(golden(), torch);
}

TEST_P(LibTorch, EncodesAsTheEngineDoes) {
  const TokenRows documents = golden().at("documents");
  Summarizer torch(folder(), {.threads = 2, .backend = EngineBackend::torch});
  Summarizer engine(folder(), {.threads = 2});
  expect_close(torch.encode(documents), engine.encode(documents));
}

INSTANTIATE_TEST_SUITE_P(Families, LibTorch, every_family(), family_test_name);

TEST(LibTorchModels, PrunedShapesRunAndMasksCount) {
  Model model = Model::load(family_folder("bart"));
  PruningOptions options{.method = PruningMethod::global, .amount = 0.3};
  options.unit = PruningUnit::whole;
  ModelPruner pruner(model, options);
  pruner.prune();
  const TemporaryFolder temporary;
  const TokenRows documents = golden_of_family("bart").at("documents");
  const SummarizeOptions run{.generation = model.generation};
  for (const bool permanent : {false, true}) {
    if (permanent) pruner.make_permanent();
    Summarizer engine(model, {.threads = 2});
    const auto ours = engine.generate(documents, run);
    const auto file = temporary.path() / "pruned.pt";
    export_torchscript(model, file);
    Summarizer eager(model, {.threads = 2, .backend = EngineBackend::torch});
    Summarizer script(file, {.threads = 2});
    for (Summarizer* torch : {&eager, &script}) {
      const auto theirs = torch->generate(documents, run);
      for (std::size_t i = 0; i < documents.size(); ++i) {
        EXPECT_EQ(theirs[i].tokens, ours[i].tokens) << permanent << ", " << i;
      }
    }
  }
}

std::string torch_refusal(const std::filesystem::path& file) {
  try {
    Summarizer summarizer(file, {.threads = 1});
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(LibTorchModels, OtherArchivesAreRefused) {
  const TemporaryFolder temporary;
  const auto file = temporary.path() / "model.pt";
  export_torchscript(Model::load(family_folder("bart")), file);
  std::string bytes(std::filesystem::file_size(file), '\0');
  std::ifstream(file, std::ios::binary).read(bytes.data(), std::ssize(bytes));
  const auto cut = temporary.write("cut.pt", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(torch_refusal(cut), testing::HasSubstr("cut.pt"));
  EXPECT_THAT(torch_refusal(cut), testing::HasSubstr("LibTorch refuses"));
  const auto archive =
      std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoint" / "torch" / "torchscript.bin";
  EXPECT_THAT(torch_refusal(archive), testing::HasSubstr("not a TorchScript file of Kobolt"));
  try {
    Summarizer summarizer(file, {.threads = 1, .backend = EngineBackend::torch});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("a Hugging Face folder"));
  }
}

}  // namespace
}  // namespace kobolt
