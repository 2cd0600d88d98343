#pragma once

#include "kobolt/trace.h"

namespace kobolt {

/// An event from here to the end of the scope; nothing, and no clock is read, without a trace.
class TraceScope {
 public:
  TraceScope(Trace* trace, Phase phase, const char* name = "", int layer = -1,
             const Cost& cost = {})
      : trace_(trace) {
    if (trace_ != nullptr) event_ = trace_->begin(phase, name, layer, cost);
  }
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;
  ~TraceScope() {
    if (trace_ != nullptr) trace_->end(event_);
  }

 private:
  Trace* trace_;
  std::size_t event_ = 0;
};

}  // namespace kobolt
