#pragma once

#include <string>

#include "cli/output.h"
#include "kobolt/gate.h"

namespace kobolt::cli {

/// A line a measure: the baseline's figure, this one's, the share kept and needed, the interval of
/// the difference, and whether it passes.
std::string gate_table(const GateReport& report, const GateOptions& options);

/// {"passed", "keep", "keep_length", "measures": {"rouge1": {"baseline", "candidate", "kept",
/// "needed", "passed", "difference": {"mean", "low", "high"}}, ..., "length": ...}}
Json gate_json(const GateReport& report, const GateOptions& options);

/// What failed, for the line on standard error: "ROUGE-2 keeps 97.10 % of 99 %".
std::string gate_failure(const GateReport& report);

}  // namespace kobolt::cli
