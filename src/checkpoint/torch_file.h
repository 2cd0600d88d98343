#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/mapped_file.h"
#include "kobolt/tensor.h"

namespace kobolt {

/// The tensors of a state dict that torch.save wrote to `file`, both in the zip form (since
/// PyTorch 1.6) and the one before. Contiguous tensors borrow from `file`; others, transposed views
/// say, are copied into order. Throws Error naming `name` (the file) and the tensor.
std::map<std::string, Tensor> read_torch_file(const std::shared_ptr<const MappedFile>& file,
                                              const std::string& name);

}  // namespace kobolt
