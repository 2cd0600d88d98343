#pragma once

#include <NvInfer.h>

#include <exception>
#include <mutex>
#include <string>
#include <utility>

namespace kobolt {

/// Keeps what TensorRT complains about, for the message of the error that follows. The library
/// prints nothing.
class TensorRTLog : public nvinfer1::ILogger {
 public:
  void log(Severity severity, const char* message) noexcept override {
    if (severity != Severity::kERROR && severity != Severity::kINTERNAL_ERROR) return;
    const std::lock_guard lock(mutex_);
    try {
      if (errors_.size() < kMost) errors_ += (errors_.empty() ? "" : "; ") + std::string(message);
    } catch (const std::exception&) {
      errors_.clear();  // no memory for messages
    }
  }

  /// The errors since the last call.
  std::string take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(errors_, {});
  }

 private:
  static constexpr std::size_t kMost = 4000;  // bytes; the first errors say most
  std::mutex mutex_;
  std::string errors_;
};

}  // namespace kobolt
