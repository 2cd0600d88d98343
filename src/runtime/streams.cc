#include "runtime/streams.h"

#include <algorithm>
#include <cstddef>
#include <exception>
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
    std::vector<std::jthread> others;
    for (int stream = 1; stream < streams; ++stream) {
      others.emplace_back([&pool, &guarded, stream] {
        const ThreadPool::Turn turn(pool, std::try_to_lock);
        if (turn.granted()) guarded(stream);
      });
    }
    guarded(0);
  }
  for (const std::exception_ptr& one : thrown) {
    if (one) std::rethrow_exception(one);
  }
}

}  // namespace kobolt
