#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "kobolt/summarizer.h"

namespace kobolt::cli {

/// How an engine is set up, of every command that runs one.
class EngineFlags {
 public:
  void add(CLI::App& command);
  /// `threads` is the global option.
  [[nodiscard]] EngineOptions options(int threads) const;

 private:
  std::string backend_ = "auto";
  std::string kv_cache_ = "auto";
  std::string pages_ = "auto";
  bool pin_ = false;
};

}  // namespace kobolt::cli
