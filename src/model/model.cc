#include "kobolt/model.h"
#include "kobolt/error.h"
#include "model/masking.h"

namespace kobolt {

const Tensor& Model::tensor(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    throw Error(ErrorKind::not_found, "the model has no such tensor",
                {.file = provenance.source, .field = name});
  }
  return found->second;
}

Tensor Model::effective_tensor(const std::string& name) const {
  const Tensor& stored = tensor(name);
  const auto mask = masks.find(name);
  return mask == masks.end() ? stored : masked(stored, mask->second);
}

}  // namespace kobolt
