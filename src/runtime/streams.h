#pragma once

#include <functional>

#include "runtime/thread_pool.h"

namespace kobolt {

/// The most streams of a call: each keeps activations, and keys and values of a batch.
inline constexpr int kMostStreams = 8;

/// Calls body(stream) for each of `streams` streams beside each other: the first on this thread,
/// in a turn of the pool, the others on threads of their own, in turns too where those are free at
/// once and not at all where none is. So they must share their work, not divide it in advance.
/// Those that go on when another has ended have its thread for their loops. Returns when all have
/// ended, and throws what the first of them has thrown.
void run_streams(ThreadPool& pool, int streams, const std::function<void(int stream)>& body);

}  // namespace kobolt
