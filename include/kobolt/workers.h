#pragma once

#include <memory>

#include "kobolt/export.h"

namespace kobolt {

class ThreadPool;

struct WorkersOptions {
  int threads = 0;   ///< in all, with the one that calls; 0 = one a core that this process may use
  bool pin = false;  ///< keep each worker on one core; that of the caller is its own affair
};

/// Threads that several Summarizers of a process share (EngineOptions::workers), each called from a
/// thread of its own. However many there are, no more than threads() compute at any time: calls
/// beyond that wait, a single call has all of them, and in between the workers are divided. What a
/// call returns does not depend on how many threads it got.
class KOBOLT_API Workers {
 public:
  explicit Workers(const WorkersOptions& options = {});
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers();

  [[nodiscard]] int threads() const noexcept;

 private:
  friend class Summarizer;
  std::unique_ptr<ThreadPool> pool_;
};

}  // namespace kobolt
