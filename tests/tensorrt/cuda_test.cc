#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kobolt/error.h"
#include "tensorrt/cuda.h"
#include "tensorrt/mirror.h"
#include "tensorrt/stand_in/cuda.h"

// Memory, streams and recorded graphs, as src/tensorrt uses them: the same of the stand-in and of
// CUDA itself.
namespace kobolt {
namespace {

class Cuda : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = stand_in::missing_device(); !why.empty()) GTEST_SKIP() << why;
    stream_.emplace();
  }
  void TearDown() override { EXPECT_EQ(stand_in::take_complaints(), ""); }

  [[nodiscard]] const CudaStream& stream() const { return *stream_; }

  /// What `numbers` holds once all that is queued is done.
  [[nodiscard]] std::vector<int> read(Mirror<int>& numbers, std::size_t count) const {
    const auto found = numbers.download(count, stream());
    stream().wait();
    return {found.begin(), found.end()};
  }

  /// The device's memory with these numbers.
  [[nodiscard]] Mirror<int> written(const std::vector<int>& values) const {
    Mirror<int> numbers;
    numbers.reserve(values.size());
    numbers.upload(values, stream());
    stream().wait();
    return numbers;
  }

  std::optional<CudaStream> stream_;
};

TEST_F(Cuda, HasADevice) {
  const CudaDevice device = first_cuda_device();
  EXPECT_NE(device.name, "");
  EXPECT_NE(device.compute_capability.find('.'), std::string::npos);
}

TEST_F(Cuda, WhatGoesToTheDeviceComesBack) {
  std::vector<int> many(100'000);
  std::iota(many.begin(), many.end(), -5);
  Mirror<int> numbers = written(many);
  EXPECT_EQ(read(numbers, many.size()), many);
}

TEST_F(Cuda, RowsAreSpreadOverZeros) {
  Mirror<int> rows = written({1, 2, 3, 4, 5, 6});
  Mirror<int> spread = written(std::vector<int>(10, 7));
  stream().zero(spread.device(), 9 * sizeof(int));
  stream().copy_rows(spread.device(), 4 * sizeof(int), rows.device(), 2 * sizeof(int), 3);
  EXPECT_EQ(read(spread, 10), (std::vector{1, 2, 0, 0, 3, 4, 0, 0, 5, 6}));
}

TEST_F(Cuda, RecordedWorkRunsEachTimeItIsLaunched) {
  Mirror<int> from = written({1, 2, 3});
  Mirror<int> to = written({0, 0, 0});
  const auto graph = CudaGraph::record(stream(), [&] {
    stream().copy(to.device(), from.device(), 2 * sizeof(int), cudaMemcpyDeviceToDevice);
  });
  ASSERT_TRUE(graph.has_value());
  EXPECT_EQ(read(to, 3), (std::vector{0, 0, 0})) << "it ran while it was recorded";
  graph->launch(stream());
  EXPECT_EQ(read(to, 3), (std::vector{1, 2, 0}));
  // In turn with what the stream has before and after it.
  from.upload(std::vector{8, 9}, stream());
  graph->launch(stream());
  stream().copy(to.device() + 2, to.device(), sizeof(int), cudaMemcpyDeviceToDevice);
  EXPECT_EQ(read(to, 3), (std::vector{8, 9, 8}));
}

TEST_F(Cuda, WhatCannotBeRecordedLeavesTheStreamAsItWas) {
  DeviceBuffer more;
  EXPECT_FALSE(CudaGraph::record(stream(), [&] { more.reserve(64); }).has_value());
  EXPECT_FALSE(CudaGraph::record(stream(), [&] { stream().wait(); }).has_value());
  more.reserve(64);
  EXPECT_NE(more.data(), nullptr);
  Mirror<int> numbers = written({4, 5});
  EXPECT_EQ(read(numbers, 2), (std::vector{4, 5}));
  EXPECT_TRUE(CudaGraph::record(stream(), [&] { stream().zero(more.data(), 64); }).has_value());
}

TEST_F(Cuda, MemoryThatThereIsNotIsNoErrorOfWhatFollows) {
  stand_in::limit_device_bytes(stand_in::counts().device_bytes + 1000);
  DeviceBuffer large;
  EXPECT_THROW(large.reserve(1001), Error);
  stand_in::limit_device_bytes(std::numeric_limits<std::size_t>::max());
  EXPECT_THROW(large.reserve(std::size_t{1} << 45U), Error);
  Mirror<int> numbers = written({4, 5});
  EXPECT_EQ(read(numbers, 2), (std::vector{4, 5}));
}

TEST_F(Cuda, BuffersGrowAndMove) {
  const std::size_t before = stand_in::counts().device_bytes;
  {
    DeviceBuffer one;
    one.reserve(100);
    one.reserve(50);
    EXPECT_EQ(stand_in::counts().device_bytes, before + 100);
    DeviceBuffer other = std::move(one);
    EXPECT_EQ(one.data(), nullptr);  // NOLINT(bugprone-use-after-move): what a move leaves
    other.reserve(200);
    EXPECT_EQ(stand_in::counts().device_bytes, before + 200);
    one = std::move(other);
    EXPECT_NE(one.data(), nullptr);
  }
  EXPECT_EQ(stand_in::counts().device_bytes, before);
}

}  // namespace
}  // namespace kobolt
