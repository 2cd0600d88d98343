#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kobolt/summarizer.h"

// Summarizers on threads of their own, with one set of workers between them.
namespace kobolt {
namespace {

const std::string kSharedCheckpoint = KOBOLT_TEST_DATA "/checkpoints/bart";

std::vector<std::int32_t> request_of(int number) {
  std::vector<std::int32_t> document;
  for (int i = 0; i < 5 + 3 * number; ++i) document.push_back(4 + (7 * i + number) % 40);
  return document;
}

TEST(SharedWorkers, ManyCallersGetWhatEachWouldGetAlone) {
  constexpr int kRequests = 8;
  std::vector<Summary> alone;
  Summarizer reference(kSharedCheckpoint, {.threads = 2});
  for (int i = 0; i < kRequests; ++i) {
    const std::vector<std::vector<std::int32_t>> documents = {request_of(i)};
    alone.push_back(reference.generate(documents, {.generation = reference.generation()}).front());
  }

  const auto workers = std::make_shared<Workers>(WorkersOptions{.threads = 2});
  std::atomic<int> equal{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      Summarizer summarizer(kSharedCheckpoint, {.workers = workers});
      for (int i = 0; i < kRequests; ++i) {
        const int number = (i + caller) % kRequests;
        const std::vector<std::vector<std::int32_t>> documents = {request_of(number)};
        const auto found = summarizer.generate(documents, {.generation = summarizer.generation()});
        const Summary& expected = alone[static_cast<std::size_t>(number)];
        if (found.front().tokens == expected.tokens && found.front().score == expected.score) {
          ++equal;
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(equal.load(), 4 * kRequests);
}

TEST(SharedWorkers, TellHowManyTheyAre) {
  const auto workers = std::make_shared<Workers>(WorkersOptions{.threads = 3});
  EXPECT_EQ(workers->threads(), 3);
  const Summarizer summarizer(kSharedCheckpoint, {.threads = 1, .workers = workers});
  EXPECT_EQ(summarizer.threads(), 3);
}

// A caller of the library may start another summary from its progress callback.
TEST(SharedWorkers, ASummaryWithinASummaryDoesNotWaitForItself) {
  const auto workers = std::make_shared<Workers>(WorkersOptions{.threads = 1});
  Summarizer outer(kSharedCheckpoint, {.workers = workers});
  Summarizer inner(kSharedCheckpoint, {.workers = workers});
  const std::vector<std::vector<std::int32_t>> documents = {request_of(1)};
  std::vector<Summary> within;
  SummarizeOptions options{.generation = outer.generation()};
  options.progress = [&](const Progress&) {
    within = inner.generate(documents, {.generation = inner.generation()});
  };
  const auto summaries = outer.generate(documents, options);
  ASSERT_EQ(within.size(), 1U);
  EXPECT_EQ(within.front().tokens, summaries.front().tokens);
}

}  // namespace
}  // namespace kobolt
