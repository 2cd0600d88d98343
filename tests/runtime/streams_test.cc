#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "kobolt/summarizer.h"
#include "runtime/streams.h"
#include "runtime/waiting_documents.h"

// Threads that work on the documents of one call beside each other.
namespace kobolt {
namespace {

const std::string kStreamsCheckpoint = KOBOLT_TEST_DATA "/checkpoints/bart";

std::vector<std::vector<std::int32_t>> many_documents(int count) {
  std::vector<std::vector<std::int32_t>> documents;
  for (int i = 0; i < count; ++i) {
    auto& document = documents.emplace_back();
    for (int j = 0; j < 4 + i % 23; ++j) document.push_back(4 + (5 * j + i) % 40);
  }
  return documents;
}

class ManyDocuments : public ::testing::TestWithParam<Precision> {};

TEST_P(ManyDocuments, GetWhatOneThreadGivesThem) {
  const auto documents = many_documents(70);
  const CompileOptions compile{.precision = GetParam()};
  Summarizer one(kStreamsCheckpoint, {.threads = 1}, compile);
  Summarizer several(kStreamsCheckpoint, {.threads = 3}, compile);
  SummarizeOptions options{.generation = one.generation()};
  options.generation.num_beams = 4;
  options.generation.max_new_tokens = 12;
  options.max_rows = 32;
  const auto expected = one.generate(documents, options);
  const auto found = several.generate(documents, options);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    EXPECT_EQ(found[i].tokens, expected[i].tokens) << "document " << i;
    EXPECT_EQ(found[i].score, expected[i].score) << "document " << i;
  }
  EXPECT_GT(several.kv_cache_bytes(), one.kv_cache_bytes());  // or there was a single stream
}

TEST_P(ManyDocuments, AreEncodedAsOneThreadDoes) {
  const std::vector<std::vector<std::int32_t>> documents(6, many_documents(23).back());
  const CompileOptions compile{.precision = GetParam()};
  Summarizer one(kStreamsCheckpoint, {.threads = 1}, compile);
  Summarizer several(kStreamsCheckpoint, {.threads = 3}, compile);
  EXPECT_EQ(several.encode(documents), one.encode(documents));
}

INSTANTIATE_TEST_SUITE_P(Precisions, ManyDocuments,
                         ::testing::Values(Precision::fp32, Precision::int8),
                         [](const auto& precision) {
                           return std::string(name_of(precision.param));
                         });

TEST(Streams, TellTheProgressOfAllToTheCallingThread) {
  const auto documents = many_documents(70);
  Summarizer summarizer(kStreamsCheckpoint, {.threads = 2});
  SummarizeOptions options{.generation = summarizer.generation()};
  options.generation.num_beams = 4;
  std::vector<std::size_t> told;
  const auto caller = std::this_thread::get_id();
  options.progress = [&](const Progress& progress) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(progress.total, documents.size());
    told.push_back(progress.done);
  };
  summarizer.generate(documents, options);
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(std::ranges::is_sorted(told));
  EXPECT_EQ(told.back(), documents.size());
}

TEST(Streams, EndWhenTheCallerThrows) {
  const auto documents = many_documents(70);
  Summarizer summarizer(kStreamsCheckpoint, {.threads = 2});
  SummarizeOptions options{.generation = summarizer.generation()};
  options.generation.num_beams = 4;
  options.on_step = [] { throw std::runtime_error("enough"); };
  EXPECT_THROW(summarizer.generate(documents, options), std::runtime_error);
  options.on_step = nullptr;
  EXPECT_EQ(summarizer.generate(documents, options).size(), documents.size());
}

TEST(Streams, ThrowWhatOneOfThemThrew) {
  ThreadPool pool(2);
  EXPECT_THROW(run_streams(pool, 2,
                           [](int stream) {
                             if (stream == 0) throw std::runtime_error("the first");
                           }),
               std::runtime_error);
  std::atomic<bool> second{false};
  const auto body = [&](int stream) {
    if (stream == 0) {
      while (!second) std::this_thread::yield();
    } else {
      second = true;
      throw std::runtime_error("the second");
    }
  };
  EXPECT_THROW(run_streams(pool, 2, body), std::runtime_error);
}

// Or the first would divide its work among threads that the others are about to take.
TEST(Streams, AllHaveTheirTurnsWhenTheFirstBegins) {
  for (int round = 0; round < 50; ++round) {
    ThreadPool pool(3);
    std::atomic<bool> seen{false};
    run_streams(pool, 3, [&](int stream) {
      if (stream == 0) {
        EXPECT_EQ(pool.free_threads(), 1);
        seen = true;
      }
      while (!seen) std::this_thread::yield();
    });
  }
}

TEST(Streams, HaveTheThreadsOfThoseThatHaveEnded) {
  for (const int last : {0, 1}) {
    ThreadPool pool(2);
    int free = 0;
    run_streams(pool, 2, [&](int stream) {
      if (stream != last) return;
      constexpr int kPatience = 100'000'000;
      for (int i = 0; i < kPatience && free < 2; ++i) {
        std::this_thread::yield();
        free = pool.free_threads();
      }
    });
    EXPECT_EQ(free, 2) << "when stream " << last << " is left";
    EXPECT_EQ(pool.free_threads(), 2);
    const ThreadPool::Turn turn(pool);
    EXPECT_EQ(pool.free_threads(), 2);
  }
}

TEST(Streams, AreNoMoreThanThePoolHasThreads) {
  ThreadPool pool(2);
  const ThreadPool::Turn turn(pool);
  std::atomic<int> at_once{0};
  std::atomic<int> most{0};
  run_streams(pool, 8, [&](int) {
    const int now = ++at_once;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    --at_once;
  });
  EXPECT_GE(most, 1);
  EXPECT_LE(most, 2);
  EXPECT_EQ(pool.free_threads(), 2);
}

TEST(Turns, AreNotWaitedForWhenOnlyTried) {
  ThreadPool pool(1);
  const ThreadPool::Turn turn(pool);
  std::jthread([&] {
    const ThreadPool::Turn other(pool, std::try_to_lock);
    EXPECT_FALSE(other.granted());
  }).join();
  const ThreadPool::Turn within(pool, std::try_to_lock);
  EXPECT_TRUE(within.granted());
}

TEST(Turns, AreSeenToBeWanted) {
  ThreadPool pool(1);
  std::jthread waiting;  // joined when the turn below is over
  const ThreadPool::Turn turn(pool);
  EXPECT_FALSE(pool.turn_wanted());
  waiting = std::jthread([&] { const ThreadPool::Turn other(pool); });
  while (!pool.turn_wanted()) std::this_thread::yield();
}

TEST(WaitingDocuments, LeaveLongestFirstAndEachOnce) {
  const auto documents = many_documents(50);
  WaitingDocuments waiting(documents);
  std::vector<std::size_t> taken;
  std::vector<std::size_t> all;
  do {
    waiting.take(8, 8, taken);
    all.insert(all.end(), taken.begin(), taken.end());
  } while (!taken.empty());
  ASSERT_EQ(all.size(), documents.size());
  EXPECT_TRUE(std::ranges::is_sorted(all, [&](std::size_t a, std::size_t b) {
    return documents[a].size() > documents[b].size();
  }));
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

TEST(WaitingDocuments, FewAndShortOnesWaitForMorePlaces) {
  const auto documents = many_documents(50);
  WaitingDocuments waiting(documents);
  std::vector<std::size_t> taken;
  waiting.take(1, 16, taken);
  EXPECT_TRUE(taken.empty());
  waiting.take(4, 16, taken);
  EXPECT_EQ(taken.size(), 4U);
  waiting.stop();
  waiting.take(16, 16, taken);
  EXPECT_TRUE(taken.empty());
}

}  // namespace
}  // namespace kobolt
