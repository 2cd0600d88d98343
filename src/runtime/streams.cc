#include "runtime/streams.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <latch>
#include <thread>
#include <vector>

namespace kobolt {

void run_streams(ThreadPool& pool, int streams, const std::function<void(int stream)>& body) {
  const ThreadPool::Turn own(pool);
  std::vector<std::exception_ptr> thrown(static_cast<std::size_t>(std::max(1, streams)));
  const auto guarded = [&](int stream) {
    try {
      body(stream);
    } catch (...) {
      thrown[static_cast<std::size_t>(stream)] = std::current_exception();
    }
  };
  {
    // Before the first stream begins, the others have their turns: it would take them for free
    // threads, and divide work with engines that are those of the other streams.
    std::latch turns_taken(std::max(0, streams - 1));
    std::vector<std::jthread> others;
    for (int stream = 1; stream < streams; ++stream) {
      others.emplace_back([&pool, &guarded, &turns_taken, stream] {
        const ThreadPool::Turn turn(pool, std::try_to_lock);
        turns_taken.count_down();
        if (turn.granted()) guarded(stream);
      });
    }
    turns_taken.wait();
    guarded(0);
    const ThreadPool::Loan loan(pool);
    others.clear();  // waits for them
  }
  for (const std::exception_ptr& one : thrown) {
    if (one) std::rethrow_exception(one);
  }
}

}  // namespace kobolt
