#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "base/machine.h"

namespace kobolt {

/// Threads worth starting for `tasks`; 0 = one a usable core.
inline int worker_count(int threads, std::size_t tasks) {
  const int wanted = threads > 0 ? threads : usable_cores();
  return static_cast<int>(std::clamp<std::size_t>(tasks, 1, static_cast<std::size_t>(wanted)));
}

/// Calls body(task, worker) for each task below `tasks`, in any order, with worker < `workers`.
/// `body` must not throw. The threads live for this call only: pruning has a handful of such loops,
/// each over all weights.
template <typename Body>
void parallel_for(int workers, std::size_t tasks, const Body& body) {
  std::atomic<std::size_t> next{0};
  const auto work = [&](int worker) {
    for (std::size_t task = next++; task < tasks; task = next++) body(task, worker);
  };
  std::vector<std::thread> others;
  for (int worker = 1; worker < workers; ++worker) others.emplace_back(work, worker);
  work(0);
  for (std::thread& thread : others) thread.join();
}

}  // namespace kobolt
