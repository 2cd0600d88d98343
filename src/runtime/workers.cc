#include "kobolt/workers.h"

#include "runtime/thread_pool.h"

namespace kobolt {

Workers::Workers(const WorkersOptions& options)
    : pool_(std::make_unique<ThreadPool>(options.threads, options.pin)) {}
Workers::~Workers() = default;

int Workers::threads() const noexcept { return pool_->threads(); }

}  // namespace kobolt
