#pragma once

#include <functional>
#include <span>
#include <string>

#include "kobolt/export.h"
#include "kobolt/model.h"
#include "kobolt/prune.h"
#include "kobolt/summarizer.h"

namespace kobolt {

struct CalibrationOptions {
  int threads = 0;  ///< 0 = one a core that this process may use
  std::function<void(const Progress&)> progress;
};

/// Summarises `documents` with an fp32 engine of `model` (its masks applied), greedily and with the
/// settings of the checkpoint otherwise, and measures what flows into every linear layer of encoder
/// and decoder. Squares are added up in double precision. Throws Error; invalid_argument where no
/// document has any token.
KOBOLT_API InputNorms collect_input_norms(const Model& model,
                                          std::span<const std::string> documents,
                                          const CalibrationOptions& options = {});

}  // namespace kobolt
