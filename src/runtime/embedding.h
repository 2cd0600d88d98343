#pragma once

#include "runtime/weights.h"

namespace kobolt {

/// Adds row `token` of a packed matrix times `factor` to out [k]. The output projection's panels
/// serve as the embedding table too, so that the largest matrix is in the file once.
void add_embedding(const Linear& table, int token, float factor, float* out);

/// Writes row `position` of the table to out [d].
void read_position(const PositionTable& table, int position, int d, float* out);

}  // namespace kobolt
