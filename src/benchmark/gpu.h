#pragma once

#include <memory>
#include <vector>

#include "kobolt/benchmark.h"

namespace kobolt {

/// Looks at all NVIDIA GPUs from time to time, through NVML where its library is installed. Without
/// it, or where it does not start, there are no GPUs; one that stops answering says why. Nothing
/// that is measured hangs on this.
class GpuMonitor {
 public:
  GpuMonitor();
  GpuMonitor(const GpuMonitor&) = delete;
  GpuMonitor& operator=(const GpuMonitor&) = delete;
  ~GpuMonitor();

  /// Looks, unless it did so less than a tenth of a second ago. To be called between what is timed.
  void sample();
  /// Means and maxima over the samples; empty where there are none.
  [[nodiscard]] std::vector<GpuUse> use() const;

 private:
  class Nvml;
  std::unique_ptr<Nvml> nvml_;
};

}  // namespace kobolt
