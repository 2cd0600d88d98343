#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace kobolt {

/// A fixed set of threads for short parallel loops. The caller takes part, so a pool of one thread
/// starts none. Idle workers spin for a moment, then sleep: a decoding step has dozens of loops a
/// few microseconds apart, and waking a sleeping thread costs as much as a whole loop.
///
/// Several callers may share a pool, each from a thread of its own and within a Turn. Together with
/// the workers that they use they are never more than threads(): with every caller, one worker
/// fewer is lent, and further callers wait. A caller that gets no worker computes alone.
class ThreadPool {
 public:
  /// `threads` in all, a caller included; 0 = usable_cores(). With `pin`, each worker stays on one
  /// of this process' cores, the first of which is left to the caller.
  explicit ThreadPool(int threads, bool pin = false);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  [[nodiscard]] int threads() const noexcept { return static_cast<int>(workers_.size()) + 1; }
  /// Whether somebody waits for a turn.
  [[nodiscard]] bool turn_wanted() const noexcept {
    return waiting_.load(std::memory_order_relaxed) > 0;
  }
  /// Threads that a loop of a caller can have now, its own included: what work is divided for.
  /// Within no turn there is one caller, a thread that has the pool for itself.
  [[nodiscard]] int free_threads() const noexcept {
    return threads() - std::max(1, callers_.load(std::memory_order_relaxed)) + 1 +
           lent_.load(std::memory_order_relaxed);
  }

  /// While it lives, this thread is one of the pool's callers. Waits while there are threads() of
  /// them; a turn within a turn of the same thread and pool counts once and never waits.
  class Turn {
   public:
    explicit Turn(ThreadPool& pool);
    /// Does not wait: granted() tells.
    Turn(ThreadPool& pool, std::try_to_lock_t);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

    [[nodiscard]] bool granted() const { return granted_; }

   private:
    /// Whether this thread has no turn of the pool yet.
    [[nodiscard]] bool first() const;

    ThreadPool& pool_;
    const Turn* outer_;
    bool granted_ = true;
    bool counted_ = true;
  };

  /// While it lives, a caller that only waits leaves its place to the workers of the others, but
  /// keeps its turn: nobody new comes in.
  class Loan {
   public:
    /// This thread has a turn of the pool.
    explicit Loan(ThreadPool& pool) : pool_(pool) { pool_.lent_.fetch_add(1); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { pool_.lent_.fetch_sub(1); }

   private:
    ThreadPool& pool_;
  };

  /// Calls body(task, thread) for every task in [0, tasks); thread in [0, threads()) tells which
  /// scratch to use. A thread does neighbouring tasks one after the other, so what a task leaves in
  /// caches, or asks memory for, serves the next one; who is done takes the last tasks of others.
  /// So a thread's tasks do not ascend: a loop that needs that draws them itself.
  /// Returns when all are done. Not reentrant; `body` must not throw.
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
  /// The loop with `helpers` workers; the caller owns the pool.
  void run_with(int helpers, int tasks, Function function, void* context);
  void work(int thread);
  void drain(int thread);

  /// The tasks of one thread that nobody has taken yet, [begin, end) in one word.
  class Share {
   public:
    void set(int begin, int end) { range_.store(pack(begin, end), std::memory_order_relaxed); }
    [[nodiscard]] int left() const;
    /// The first or the last of them, -1 = there is none.
    int take_first() { return take(true); }
    int take_last() { return take(false); }

   private:
    static std::uint64_t pack(int begin, int end) {
      return static_cast<std::uint64_t>(begin) << 32 | static_cast<std::uint32_t>(end);
    }
    int take(bool first);

    alignas(64) std::atomic<std::uint64_t> range_{0};
  };

  // Who draws a ticket helps with the job. Its fields are written before tickets are issued, and
  // stay until every ticket has been handed back.
  Function function_ = nullptr;
  void* context_ = nullptr;
  int shares_in_use_ = 0;
  std::vector<Share> shares_;
  alignas(64) std::atomic<unsigned> generation_{0};
  alignas(64) std::atomic<int> tickets_{0};
  alignas(64) std::atomic<int> busy_{0};  // tickets that are drawn or may still be
  alignas(64) std::atomic<bool> owned_{false};
  std::atomic<int> callers_{0};
  std::atomic<int> lent_{0};     // callers that only wait
  std::atomic<int> waiting_{0};  // for a turn
  std::mutex turns_;
  std::condition_variable turn_over_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace kobolt
