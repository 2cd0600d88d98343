#pragma once

#include <map>
#include <string>

#include "checkpoint/source_file.h"
#include "kobolt/tensor.h"

namespace kobolt {

/// The tensors of a state dict that torch.save wrote, both in the zip form (since
/// PyTorch 1.6) and the one before. Contiguous tensors borrow from the file; others, transposed
/// views say, are copied into order. Throws Error naming file and tensor.
std::map<std::string, Tensor> read_torch_file(const SourceFile& file);

}  // namespace kobolt
