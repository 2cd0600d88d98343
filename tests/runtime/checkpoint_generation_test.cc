#include <gtest/gtest.h>

#include <string>

#include "kobolt/summarizer.h"
#include "runtime/family_checkpoints.h"

// Whole generation against transformers from the tiny checkpoint of each family: greedy and with
// the checkpoint's own beam settings, all documents in one ragged batch here and alone there.
namespace kobolt {
namespace {

class CheckpointGeneration : public ::testing::TestWithParam<std::string> {};

TEST_P(CheckpointGeneration, GivesTheIdsOfTransformers) {
  Summarizer summarizer(family_folder(GetParam()), {.threads = 2});
  expect_golden_ids(golden_of_family(GetParam()), summarizer);
}

INSTANTIATE_TEST_SUITE_P(Families, CheckpointGeneration, every_family(), family_test_name);

}  // namespace
}  // namespace kobolt
