#include "runtime/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "base/machine.h"

namespace kobolt {
namespace {

TEST(ThreadPool, RunsEveryTaskOnceOverManyLoops) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int loop = 0; loop < 2000; ++loop) {
      const int tasks = loop % 17;
      std::vector<std::atomic<int>> count(static_cast<std::size_t>(tasks));
      pool.parallel_for(tasks, [&](int task, int thread) {
        ASSERT_GE(thread, 0);
        ASSERT_LT(thread, threads);
        count[static_cast<std::size_t>(task)].fetch_add(1);
      });
      for (const auto& each : count) ASSERT_EQ(each.load(), 1);
    }
  }
}

TEST(ThreadPool, WakesSleepingWorkers) {
  ThreadPool pool(3);
  for (int loop = 0; loop < 5; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // longer than workers spin
    std::atomic<int> sum{0};
    pool.parallel_for(100, [&](int task, int) { sum += task; });
    EXPECT_EQ(sum.load(), 4950);
  }
}

TEST(ThreadPool, WritesAreSeenByTheCaller) {
  ThreadPool pool(2);
  std::vector<int> values(1000);
  for (int loop = 1; loop < 500; ++loop) {
    pool.parallel_for(10, [&](int task, int) {
      for (int i = 0; i < 100; ++i) values[static_cast<std::size_t>(task * 100 + i)] = loop;
    });
    for (const int value : values) ASSERT_EQ(value, loop);
  }
}

TEST(ThreadPool, TakesTheCoresOfTheProcessByDefault) {
  EXPECT_GE(usable_cores(), 1);
  EXPECT_EQ(ThreadPool(0).threads(), usable_cores());
}

}  // namespace
}  // namespace kobolt
