#include "tensorrt/later_step.h"

namespace kobolt {

void LaterStep::forget() {
  recorded_.reset();
  prepared_ = false;
}

void LaterStep::run(const CudaStream& stream, const Bind& bind, bool repeats) {
  if (!recorded_) {
    bind(context_);
    // The first run of a shape prepares what later ones find done, and that cannot be recorded.
    if (prepared_ && can_record_) {
      recorded_ = CudaGraph::record(stream, [&] { context_.run(stream); });
      can_record_ = recorded_.has_value();
    }
  }
  if (recorded_) {
    recorded_->launch(stream);
  } else {
    context_.run(stream);
  }
  prepared_ = repeats;
}

}  // namespace kobolt
