#pragma once

#include <string>

#include "cli/output.h"
#include "kobolt/evaluate.h"

namespace kobolt::cli {

/// Precision, recall and F of each measure, with the interval of F when there is one.
std::string rouge_table(const RougeReport& report, const RougeOptions& options);

/// {"rouge1": {"precision": {"mean", "low", "high"}, "recall": ..., "f": ...}, "rouge2": ...}; low
/// and high only when there is an interval.
Json rouge_json(const RougeReport& report, const RougeOptions& options);

/// The options by their names on the command line.
Json rouge_settings(const RougeOptions& options);

}  // namespace kobolt::cli
