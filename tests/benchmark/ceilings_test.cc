#include "benchmark/ceilings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace kobolt {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Gt;
using ::testing::Lt;
using ::testing::SizeIs;

// No core does as much, by far: 64 lanes of 32 bits in each of 10e9 cycles a second. What is not in
// units of 1e9, or counts a thread's work as everybody's, is beyond.
testing::Matcher<double> possible(unsigned threads, int operations_of_lane) {
  return AllOf(Gt(0.0), Lt(640.0 * threads * operations_of_lane));
}

TEST(CeilingsTest, EverySetHasRatesThatAProcessorCanHave) {
  // An odd number of pages, which two threads cannot share evenly.
  const CeilingEffort little{.steps = 20'000, .read_bytes = 1001 * 4096, .repetitions = 2};
  const testing::Matcher<double> none = 0.0;
  for (const std::string_view set : measurable_sets()) {
    for (const unsigned threads : {1U, 2U}) {
      SCOPED_TRACE(std::string(set) + ", threads: " + std::to_string(threads));
      const Ceilings found = measure_ceilings(set, threads, little);
      EXPECT_THAT(found.fp32, possible(threads, 2));
      EXPECT_THAT(found.pairs, possible(threads, 4));
      EXPECT_THAT(found.read, possible(threads, 4));
      const bool bf16 = set == "AVX512_BF16";
      EXPECT_THAT(found.bf16, bf16 ? possible(threads, 4) : none);
      const bool bytes = bf16 || set == "AVX512_VNNI";
      EXPECT_THAT(found.bytes, bytes ? possible(threads, 8) : none);
      EXPECT_THAT(found.fp32_loaded, possible(threads, 2));
      EXPECT_THAT(found.bytes_loaded, bytes ? possible(threads, 8) : none);
    }
  }
}

TEST(CeilingsTest, ReadingHasARateForEachPass) {
  if (measurable_sets().empty()) GTEST_SKIP() << "this processor's reading is not measured";
  EXPECT_THAT(read_rates(2, 3, std::size_t{4} << 20), AllOf(SizeIs(3), Each(possible(2, 4))));
  EXPECT_THAT(read_rates(2, 1, 1), AllOf(SizeIs(1), Each(Gt(0.0)))) << "at least a page each";
}

}  // namespace
}  // namespace kobolt
