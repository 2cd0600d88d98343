#include "kobolt/model.h"
#include "kobolt/error.h"

namespace kobolt {

const Tensor& Model::tensor(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    throw Error(ErrorKind::not_found, "the model has no such tensor",
                {.file = provenance.source, .field = name});
  }
  return found->second;
}

}  // namespace kobolt
