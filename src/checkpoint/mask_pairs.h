#pragma once

#include <map>
#include <string>

#include "checkpoint/weights.h"
#include "kobolt/mask.h"

namespace kobolt {

/// PyTorch's pruning module saves a pruned tensor X as X_orig and X_mask. Puts X_orig under the
/// name X and returns the masks by that name. Throws Error(corrupt) for half a pair, a mask of
/// another shape and values that are neither 0 nor 1.
std::map<std::string, Mask> take_masks(StoredWeights& stored);

/// A mask as PyTorch reads it: a boolean tensor of the same shape.
Tensor mask_tensor(const Mask& mask);

}  // namespace kobolt
