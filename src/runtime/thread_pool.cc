#include "runtime/thread_pool.h"

#include <algorithm>
#include <span>

#include "base/machine.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace kobolt {
namespace {

// About 50 microseconds of polling: longer than the gap between two loops of a decoding step, far
// shorter than anything a person or a scheduler would notice.
constexpr int kSpins = 2000;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Of this thread; turns nest.
thread_local const ThreadPool::Turn* innermost_turn = nullptr;

}  // namespace

ThreadPool::ThreadPool(int threads, bool pin)
    : shares_(static_cast<std::size_t>(threads > 0 ? threads : usable_cores())) {
  threads = static_cast<int>(shares_.size());
  workers_.reserve(static_cast<std::size_t>(threads - 1));
  for (int i = 1; i < threads; ++i) {
    workers_.emplace_back([this, i, pin] {
      if (pin) pin_to_core(i);
      work(i);
    });
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

bool ThreadPool::Turn::first() const {
  for (const Turn* turn = outer_; turn != nullptr; turn = turn->outer_) {
    if (&turn->pool_ == &pool_ && turn->granted_) return false;
  }
  return true;
}

ThreadPool::Turn::Turn(ThreadPool& pool) : pool_(pool), outer_(innermost_turn), counted_(first()) {
  innermost_turn = this;
  if (!counted_) return;
  std::unique_lock lock(pool.turns_);
  pool.waiting_.fetch_add(1);
  pool.turn_over_.wait(lock, [&] { return pool.callers_.load() < pool.threads(); });
  pool.waiting_.fetch_sub(1);
  pool.callers_.fetch_add(1);
}

ThreadPool::Turn::Turn(ThreadPool& pool, std::try_to_lock_t)
    : pool_(pool), outer_(innermost_turn), counted_(first()) {
  innermost_turn = this;
  if (!counted_) return;
  const std::scoped_lock lock(pool.turns_);
  granted_ = counted_ = pool.callers_.load() < pool.threads();
  if (granted_) pool.callers_.fetch_add(1);
}

ThreadPool::Turn::~Turn() {
  innermost_turn = outer_;
  if (!counted_) return;
  {
    const std::scoped_lock lock(pool_.turns_);
    pool_.callers_.fetch_sub(1);
  }
  pool_.turn_over_.notify_one();
}

void ThreadPool::run(int tasks, Function function, void* context) {
  const int helpers = std::min(free_threads() - 1, tasks - 1);
  if (helpers > 0 && !owned_.exchange(true, std::memory_order_acquire)) {
    run_with(helpers, tasks, function, context);
    owned_.store(false, std::memory_order_release);
    return;
  }
  for (int task = 0; task < tasks; ++task) function(context, task, 0);
}

void ThreadPool::run_with(int helpers, int tasks, Function function, void* context) {
  function_ = function;
  context_ = context;
  shares_in_use_ = helpers + 1;
  for (int i = 0; i < shares_in_use_; ++i) {
    const auto begin_of = [&](std::int64_t share) {
      return static_cast<int>(share * tasks / shares_in_use_);
    };
    shares_[static_cast<std::size_t>(i)].set(begin_of(i), begin_of(i + 1));
  }
  busy_.store(helpers, std::memory_order_relaxed);
  tickets_.store(helpers, std::memory_order_release);  // publishes the job
  generation_.fetch_add(1);
  generation_.notify_all();
  drain(0);
  // Whoever has not even begun is not waited for: all tasks are taken.
  const int left = std::max(0, tickets_.exchange(0, std::memory_order_relaxed));
  if (left > 0) busy_.fetch_sub(left, std::memory_order_relaxed);
  for (int spins = 0; busy_.load(std::memory_order_acquire) != 0; ++spins) {
    if (spins < kSpins) {
      pause();
      continue;
    }
    const int busy = busy_.load(std::memory_order_acquire);
    if (busy != 0) busy_.wait(busy);
  }
}

int ThreadPool::Share::take(bool first) {
  std::uint64_t range = range_.load(std::memory_order_relaxed);
  while (true) {
    const auto begin = static_cast<int>(range >> 32);
    const auto end = static_cast<int>(range & 0xffffffffU);
    if (begin >= end) return -1;
    const std::uint64_t rest = first ? pack(begin + 1, end) : pack(begin, end - 1);
    if (range_.compare_exchange_weak(range, rest, std::memory_order_relaxed)) {
      return first ? begin : end - 1;
    }
  }
}

int ThreadPool::Share::left() const {
  const std::uint64_t range = range_.load(std::memory_order_relaxed);
  return static_cast<int>(range & 0xffffffffU) - static_cast<int>(range >> 32);
}

void ThreadPool::drain(int thread) {
  const auto shares = std::span(shares_).first(static_cast<std::size_t>(shares_in_use_));
  Share& own = shares[static_cast<std::size_t>(thread % shares_in_use_)];
  for (int task = own.take_first(); task >= 0; task = own.take_first()) {
    function_(context_, task, thread);
  }
  // A share only shrinks: when the fullest one is empty, all are.
  while (true) {
    Share& fullest =
        *std::max_element(shares.begin(), shares.end(),
                          [](const Share& a, const Share& b) { return a.left() < b.left(); });
    if (fullest.left() == 0) return;
    const int task = fullest.take_last();
    if (task >= 0) function_(context_, task, thread);
  }
}

void ThreadPool::work(int thread) {
  unsigned seen = 0;
  while (true) {
    unsigned now = generation_.load(std::memory_order_acquire);
    for (int spins = 0; now == seen; ++spins) {
      if (spins < kSpins) {
        pause();
      } else {
        generation_.wait(seen);
      }
      now = generation_.load(std::memory_order_acquire);
    }
    seen = now;
    if (stop_.load()) return;
    if (tickets_.fetch_sub(1, std::memory_order_acq_rel) <= 0) continue;
    drain(thread);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_all();
  }
}

}  // namespace kobolt
