#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "component/component_library.h"
#include "format/engine_file.h"
#include "kobolt/kv_cache.h"
#include "runtime/backend.h"

namespace kobolt {

/// A model that another library than Kobolt's own engine executes, ready to run.
struct ForeignModel {
  std::unique_ptr<Backend> backend;
  EngineMetadata metadata;
  TokenizerFiles tokenizer;
  std::string library;  ///< "LibTorch 2.6.0, TorchScript"
  KvCache kv_cache = KvCache::fp32;
  std::uint64_t file_bytes = 0;    ///< of what was opened, or 0
  std::uint64_t weight_bytes = 0;  ///< that it holds
};

/// What a component that executes models offers to Summarizer.
class BackendComponent {
 public:
  BackendComponent() = default;
  BackendComponent(const BackendComponent&) = delete;
  BackendComponent& operator=(const BackendComponent&) = delete;
  virtual ~BackendComponent() = default;

  /// Of the library behind it: "2.6.0".
  [[nodiscard]] virtual std::string version() const = 0;
  /// Opens a file of its own kind. `threads` as EngineOptions has it. Throws Error.
  virtual ForeignModel open(const std::filesystem::path& file, int threads) = 0;
};

/// What a component offers, null where there is none. Those for Summarizer return a
/// BackendComponent*; Kind is what the one of this name is derived to.
template <class Kind>
Kind* backend_component(const ComponentLibrary& component) {
  return static_cast<Kind*>(static_cast<BackendComponent*>(component.instance()));
}

}  // namespace kobolt
