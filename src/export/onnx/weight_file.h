#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "export/onnx/elements.h"

namespace kobolt::onnx {

/// A stored tensor: inside the graphs that use it where it is small, otherwise in the file of
/// weights.
struct StoredTensor {
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  Bytes bytes;  ///< empty: at `offset` of the file
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// The one file of weights that all graphs of an export refer to as external data, so that what
/// they share is stored once and no graph comes near protobuf's limit of 2 GB.
class WeightFile {
 public:
  /// Throws Error.
  explicit WeightFile(const std::filesystem::path& path);

  /// The tensor of that name; `make` gives its bytes, little-endian, the first time it is asked
  /// for.
  const StoredTensor& store(const std::string& name, ElementType type,
                            const std::vector<std::int64_t>& shape,
                            const std::function<Bytes()>& make);

  /// What graphs call the file: its name, relative to theirs.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t size() const { return file_.size(); }
  void commit() { file_.commit(); }

 private:
  std::string name_;
  AtomicFile file_;
  std::map<std::string, StoredTensor> tensors_;
};

}  // namespace kobolt::onnx
