#pragma once

#include <atomic>
#include <cstddef>
#include <thread>
#include <type_traits>
#include <vector>

namespace kobolt {

/// A fixed set of threads for short parallel loops. The caller takes part, so a pool of one thread
/// starts none. Idle workers spin for a moment, then sleep: a decoding step has dozens of loops a
/// few microseconds apart, and waking a sleeping thread costs as much as a whole loop.
class ThreadPool {
 public:
  /// `threads` in all, the caller included; 0 = usable_cores().
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  [[nodiscard]] int threads() const noexcept { return static_cast<int>(workers_.size()) + 1; }

  /// Calls body(task, thread) for every task in [0, tasks), in any order; thread in [0, threads())
  /// tells which scratch to use. Returns when all are done. Not reentrant, one caller at a time;
  /// `body` must not throw.
  template <typename Body>
  void parallel_for(int tasks, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    run(
        tasks,
        [](void* context, int task, int thread) { (*static_cast<Plain*>(context))(task, thread); },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

 private:
  using Function = void (*)(void* context, int task, int thread);

  void run(int tasks, Function function, void* context);
  void work(int thread);
  void drain(int thread);

  // The job's fields are written before generation_ is raised and stay until all have finished.
  Function function_ = nullptr;
  void* context_ = nullptr;
  int tasks_ = 0;
  alignas(64) std::atomic<int> next_{0};
  alignas(64) std::atomic<unsigned> generation_{0};
  alignas(64) std::atomic<int> busy_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace kobolt
