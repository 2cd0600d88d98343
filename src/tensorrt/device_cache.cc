#include "tensorrt/device_cache.h"

namespace kobolt {

nvinfer1::Dims CachedTensor::sized(int rows, int length) const {
  return nvinfer1::Dims4(rows, shape.d[1], length, shape.d[3]);
}

std::size_t CachedTensor::bytes(int rows, int length) const {
  return elements(sized(rows, length)) * element_size;
}

void CachedTensor::begin(const CudaStream& stream, int rows, int length) {
  const std::size_t position = static_cast<std::size_t>(shape.d[3]) * element_size;
  const std::size_t places = static_cast<std::size_t>(length) * position;
  stream.zero(now.data(), bytes(rows, length));
  stream.copy_rows(now.data(), places, then.data(), position, bytes(rows, 1) / position);
}

std::vector<CachedTensor> cached_tensors(const Plan& plan, std::string_view part) {
  std::vector<CachedTensor> cache;
  for (const std::string& name : plan.names(nvinfer1::TensorIOMode::kINPUT)) {
    constexpr std::string_view kPast = "past_key_values";
    if (!name.starts_with(kPast) || name.find(part) == std::string::npos) continue;
    CachedTensor& one = cache.emplace_back();
    one.past = name;
    one.present = "present" + name.substr(kPast.size());
    one.shape = plan.fixed_shape(name);
    one.element_size = plan.element_size(name);
  }
  return cache;
}

}  // namespace kobolt
