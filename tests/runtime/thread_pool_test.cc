#include "runtime/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <numeric>
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

/// Whoever comes, and whenever: a thread takes its own tasks from the first on, and then the last
/// ones of the other.
TEST(ThreadPool, NeighbouringTasksAreOneThreads) {
  constexpr int kTasks = 10;
  ThreadPool pool(2);
  for (int loop = 0; loop < 500; ++loop) {
    std::array<std::vector<int>, 2> of_thread;
    pool.parallel_for(kTasks, [&](int task, int thread) {
      of_thread[static_cast<std::size_t>(thread)].push_back(task);
    });
    for (const int thread : {0, 1}) {
      const auto& tasks = of_thread[static_cast<std::size_t>(thread)];
      const auto own = [&](int task) { return task / (kTasks / 2) == thread; };
      const auto others = std::find_if_not(tasks.begin(), tasks.end(), own);
      EXPECT_TRUE(std::is_sorted(tasks.begin(), others));
      EXPECT_TRUE(std::is_sorted(others, tasks.end(), std::greater<>()));
      EXPECT_TRUE(std::none_of(others, tasks.end(), own));
      EXPECT_TRUE(others == tasks.end() || *others % (kTasks / 2) == kTasks / 2 - 1);
    }
  }
}

TEST(ThreadPool, TasksOfABusyThreadAreDoneByOthers) {
  constexpr int kTasks = 9;
  ThreadPool pool(3);
  std::atomic<int> done{0};
  pool.parallel_for(kTasks, [&](int task, int /*thread*/) {
    if (task == 0) {
      for (int others = done; others != kTasks - 1; others = done) done.wait(others);
    }
    ++done;
    done.notify_all();
  });
  EXPECT_EQ(done, kTasks);
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

TEST(ThreadPool, CallersAndTheirWorkersAreNeverMoreThanItsThreads) {
  constexpr int kThreads = 3;
  ThreadPool pool(kThreads);
  std::atomic<int> computing{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  const auto call = [&] {
    for (int request = 0; request < 50; ++request) {
      const ThreadPool::Turn turn(pool);
      for (int loop = 0; loop < 20; ++loop) {
        std::vector<int> values(13);
        pool.parallel_for(13, [&](int task, int thread) {
          const int now = computing.fetch_add(1) + 1;
          for (int seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          values[static_cast<std::size_t>(task)] = task + 1;
          ASSERT_LT(thread, kThreads);
          computing.fetch_sub(1);
        });
        if (std::accumulate(values.begin(), values.end(), 0) == 91) ++done;
      }
    }
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 7; ++i) callers.emplace_back(call);
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(done.load(), 7 * 50 * 20);
  EXPECT_LE(most.load(), kThreads);
}

TEST(ThreadPool, ATurnWithinATurnDoesNotWaitForItself) {
  ThreadPool pool(1);
  ThreadPool other(1);
  const ThreadPool::Turn turn(pool);
  const ThreadPool::Turn between(other);
  const ThreadPool::Turn within(pool);
  int sum = 0;
  pool.parallel_for(10, [&](int task, int) { sum += task; });
  EXPECT_EQ(sum, 45);
}

TEST(ThreadPool, PinnedWorkersDoTheSame) {
  ThreadPool pool(3, true);
  std::atomic<int> sum{0};
  pool.parallel_for(100, [&](int task, int) { sum += task; });
  EXPECT_EQ(sum.load(), 4950);
}

TEST(ThreadPool, TakesTheCoresOfTheProcessByDefault) {
  EXPECT_GE(usable_cores(), 1);
  EXPECT_EQ(ThreadPool(0).threads(), usable_cores());
}

}  // namespace
}  // namespace kobolt
