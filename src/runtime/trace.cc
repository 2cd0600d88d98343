#include "kobolt/trace.h"

#include <chrono>

namespace kobolt {
namespace {

// A batch of a hundred steps of a model of six layers: no measured batch then waits for memory.
constexpr std::size_t kEventsReserved = 1 << 14;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::tokenize:
      return "tokenise";
    case Phase::encode:
      return "encode";
    case Phase::decode:
      return "decode";
    case Phase::search:
      return "search";
    case Phase::detokenize:
      return "detokenise";
  }
  return "";
}

Trace::Trace() : origin_(steady_seconds()) { events_.reserve(kEventsReserved); }

double Trace::now() const { return steady_seconds() - origin_; }

std::size_t Trace::begin(Phase phase, const char* name, int layer, const Cost& cost) {
  events_.push_back({.phase = phase, .name = name, .layer = layer, .cost = cost});
  events_.back().begin = now();
  return events_.size() - 1;
}

void Trace::end(std::size_t event) { events_[event].end = now(); }

}  // namespace kobolt
