#include "runtime/later_large_pages.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "base/large_pages.h"
#include "base/machine.h"
#include "checkpoint/temporary_folder.h"

namespace kobolt {
namespace {

class LaterLargePagesTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::shared_ptr<const MappedFile> file_of(std::size_t bytes) const {
    return MappedFile::open(folder_.write("file", std::string(bytes, 'k')));
  }
  const TemporaryFolder folder_;
};

constexpr int kManySteps = 1000;
constexpr std::size_t kMiB = std::size_t{1} << 20U;

TEST_F(LaterLargePagesTest, MovesAFileOnceStepsHaveBeenTaken) {
  if (!large_pages_granted() || available_memory() < 200 * kMiB) {
    GTEST_SKIP() << "this system grants no large pages, or has little memory";
  }
  const auto file = file_of(40 * kMiB + 1);
  LaterLargePages later(file, Pages::automatic);
  later.step(1);
  EXPECT_FALSE(file->moved());
  for (int i = 0; i < kManySteps; ++i) later.step(1);
  while (!file->moved()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(file->bytes().back(), std::byte{'k'});
}

TEST_F(LaterLargePagesTest, StepsOfManyRowsWaitLessForReading) {
  if (!large_pages_granted() || available_memory() < 200 * kMiB) {
    GTEST_SKIP() << "this system grants no large pages, or has little memory";
  }
  const auto file = file_of(40 * kMiB);
  const auto steps_before_it_begins = [&](int rows) {
    LaterLargePages later(file, Pages::automatic);
    int steps = 0;
    for (; steps < kManySteps && !later.begun(); ++steps) later.step(rows);
    return steps;
  };
  const int of_few_rows = steps_before_it_begins(4);
  const int of_many_rows = steps_before_it_begins(64);
  EXPECT_LT(of_few_rows, of_many_rows);
  EXPECT_LT(of_many_rows, kManySteps);
}

TEST_F(LaterLargePagesTest, LeavesSmallFilesMapped) {
  const auto file = file_of(kMiB);
  {
    LaterLargePages later(file, Pages::automatic);
    for (int i = 0; i < kManySteps; ++i) later.step(1);
  }
  EXPECT_FALSE(file->moved());
}

TEST_F(LaterLargePagesTest, DoesWhatItIsToldWhateverTheSize) {
  const auto file = file_of(kMiB);
  {
    LaterLargePages never(file, Pages::mapped);
    for (int i = 0; i < kManySteps; ++i) never.step(1);
  }
  EXPECT_FALSE(file->moved());
  const LaterLargePages at_once(file, Pages::large);
  EXPECT_TRUE(file->moved());
}

TEST_F(LaterLargePagesTest, OfAnImageInMemoryDoesNothing) {
  LaterLargePages none(nullptr, Pages::large);
  for (int i = 0; i < kManySteps; ++i) none.step(1);
}

}  // namespace
}  // namespace kobolt
