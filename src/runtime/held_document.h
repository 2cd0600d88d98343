#pragma once

#include <exception>
#include <utility>

#include "runtime/backend.h"

namespace kobolt {

/// A document that the back end holds, for as long as this lives.
class HeldDocument {
 public:
  HeldDocument(Backend& backend, DocumentHandle handle) : backend_(&backend), handle_(handle) {}
  HeldDocument(HeldDocument&& other) noexcept
      : backend_(std::exchange(other.backend_, nullptr)), handle_(other.handle_) {}
  HeldDocument& operator=(HeldDocument&& other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~HeldDocument() {
    if (backend_ == nullptr) return;
    try {
      backend_->release(handle_);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
      // Whatever was wrong with the back end has been or will be told by encode() or step().
    }
  }

  [[nodiscard]] DocumentHandle handle() const { return handle_; }

 private:
  Backend* backend_;
  DocumentHandle handle_;
};

}  // namespace kobolt
