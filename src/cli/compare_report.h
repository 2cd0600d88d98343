#pragma once

#include <string>

#include "cli/comparison.h"

/// The forms of a comparison's report: one set of figures, five ways to read it.
namespace kobolt::cli {

std::string compare_text(const ComparisonReport& report);      ///< for a terminal
Json compare_json(const ComparisonReport& report);             ///< everything, all times included
std::string compare_csv(const ComparisonReport& report);       ///< a line a system, plain numbers
std::string compare_markdown(const ComparisonReport& report);  ///< a table to paste
std::string compare_html(const ComparisonReport& report);      ///< one self-contained page

}  // namespace kobolt::cli
