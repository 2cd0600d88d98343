#pragma once

#include <functional>
#include <optional>

#include "tensorrt/cuda.h"
#include "tensorrt/plan.h"

namespace kobolt {

/// Later steps that read one of a cohort's two sets of caches and write the other. Those of one
/// shape are the same work, which is recorded once and then launched as a whole. Each direction has
/// a context of its own: who changes the context that a graph was recorded from, if only an address
/// in it, must not launch the graph again.
class LaterStep {
 public:
  using Bind = std::function<void(PlanContext&)>;

  explicit LaterStep(PlanContext context) : context_(std::move(context)) {}

  /// Shapes or memory are others from here on.
  void forget();
  /// Queues a step. `bind` sets shapes and addresses, unless a recording has them. `repeats`:
  /// whether the next step in this direction has the same shapes.
  void run(const CudaStream& stream, const Bind& bind, bool repeats);

 private:
  PlanContext context_;
  std::optional<CudaGraph> recorded_;
  bool prepared_ = false;  // has run with the shapes of the next step
  bool can_record_ = true;
};

}  // namespace kobolt
