// Arbitrary bytes as a pickle: an Error, or values whose references stay inside.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "checkpoint/pickle.h"
#include "kobolt/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const kobolt::Pickle pickle = kobolt::read_pickle(bytes, "fuzz");
    if (pickle.root >= pickle.nodes.size() || pickle.size > size) std::abort();
    for (const kobolt::PickleNode& node : pickle.nodes) {
      for (const std::uint32_t item : node.items) {
        if (item >= pickle.nodes.size()) std::abort();
      }
    }
    for (const kobolt::PickledTensor& tensor : pickle.tensors) {
      if (tensor.storage >= pickle.storages.size()) std::abort();
    }
  } catch (const kobolt::Error&) {
  }
  return 0;
}
