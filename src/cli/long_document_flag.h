#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "kobolt/summarizer.h"

namespace kobolt::cli {

/// --long: what happens to documents beyond the model's positions.
class LongDocumentFlag {
 public:
  void add(CLI::App& command);
  [[nodiscard]] LongDocument value() const;
  /// "truncate", "split" or "error", as given.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_ = "truncate";
};

}  // namespace kobolt::cli
