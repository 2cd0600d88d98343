#include "export/onnx/weight_file.h"

#include <span>
#include <utility>

namespace kobolt::onnx {
namespace {

// Shape inference and readers of graphs look at small tensors; mapping them would gain nothing.
constexpr std::size_t kInside = 1024;

// The ONNX specification asks for it, so that readers can map single tensors.
constexpr std::size_t kPage = 4096;

}  // namespace

WeightFile::WeightFile(const std::filesystem::path& path)
    : name_(path.filename().string()), file_(path) {}

const StoredTensor& WeightFile::store(const std::string& name, ElementType type,
                                      const std::vector<std::int64_t>& shape,
                                      const std::function<Bytes()>& make) {
  const auto known = tensors_.find(name);
  if (known != tensors_.end()) return known->second;
  StoredTensor tensor{.type = type, .shape = shape, .bytes = make()};
  tensor.length = tensor.bytes.size();
  if (tensor.length >= kInside) {
    const std::size_t past = file_.size() % kPage;
    if (past != 0) file_.write(Bytes(kPage - past));
    tensor.offset = file_.size();
    file_.write(tensor.bytes);
    tensor.bytes = {};
  }
  return tensors_.emplace(name, std::move(tensor)).first->second;
}

}  // namespace kobolt::onnx
