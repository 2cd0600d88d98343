#pragma once

#include <span>
#include <string>

#include "kobolt/evaluate.h"

namespace kobolt {

/// Identity of documents and references: 32 hex digits.
std::string dataset_hash(std::span<const Example> examples);

}  // namespace kobolt
