#include "onnxruntime/session.h"

#include <cstring>
#include <functional>
#include <numeric>
#include <utility>

#include "kobolt/error.h"
#include "onnxruntime/library.h"

namespace kobolt {
namespace {

void check_status(const OrtFunctions& functions, OrtStatus* status, const std::string& file) {
  if (status == nullptr) return;
  const std::string message = functions.get_error_message(status);
  functions.release_status(status);
  throw Error(ErrorKind::unsupported, "ONNX Runtime refuses: " + message, {.file = file});
}

OrtAllocator* default_allocator(const OrtFunctions& functions) {
  OrtAllocator* allocator = nullptr;
  check_status(functions, functions.get_allocator_with_default_options(&allocator), {});
  return allocator;
}

/// Lives as long as the process: sessions may be made and dropped at any time.
const OrtEnv* environment(const OrtFunctions& functions) {
  static const OrtEnv* const environment = [&] {
    OrtEnv* made = nullptr;
    check_status(functions, functions.create_env(OrtLogging::fatal, "kobolt", &made), {});
    return made;
  }();
  return environment;
}

std::size_t size_of(OnnxElement type) {
  switch (type) {
    case OnnxElement::f32:
      return 4;
    case OnnxElement::i64:
      return 8;
    case OnnxElement::f16:
      return 2;
  }
  throw Error(ErrorKind::unsupported, "a tensor of a type that no graph of a summariser has",
              {.found = "ONNX element type " + std::to_string(static_cast<unsigned>(type)),
               .expected = "float32, float16 or int64"});
}

struct TypeAndShape {
  OnnxElement type = OnnxElement::f32;
  std::vector<std::int64_t> shape;
};

TypeAndShape read_info(const OrtFunctions& functions, const OrtTensorTypeAndShapeInfo* info) {
  TypeAndShape found;
  std::size_t axes = 0;
  check_status(functions, functions.get_tensor_element_type(info, &found.type), {});
  check_status(functions, functions.get_dimensions_count(info, &axes), {});
  found.shape.resize(axes);
  check_status(functions, functions.get_dimensions(info, found.shape.data(), axes), {});
  return found;
}

}  // namespace

OnnxTensor::OnnxTensor(const OrtFunctions& functions, OnnxElement type,
                       std::vector<std::int64_t> shape)
    : functions_(&functions), type_(type), shape_(std::move(shape)) {
  OrtValue* value = nullptr;
  check_status(functions,
               functions.create_tensor_as_ort_value(default_allocator(functions), shape_.data(),
                                                    shape_.size(), type, &value),
               {});
  value_ = OrtOwned<OrtValue>(value, {functions_});
  void* data = nullptr;
  check_status(functions, functions.get_tensor_mutable_data(value, &data), {});
  data_ = static_cast<std::byte*>(data);
}

OnnxTensor::OnnxTensor(const OrtFunctions& functions, OrtValue* value)
    : functions_(&functions), value_(value, {&functions}) {
  OrtTensorTypeAndShapeInfo* info = nullptr;
  check_status(functions, functions.get_tensor_type_and_shape(value, &info), {});
  const std::unique_ptr<OrtTensorTypeAndShapeInfo, void (*)(OrtTensorTypeAndShapeInfo*)> owner(
      info, functions.release_tensor_type_and_shape_info);
  TypeAndShape found = read_info(functions, info);
  type_ = found.type;
  shape_ = std::move(found.shape);
  void* data = nullptr;
  check_status(functions, functions.get_tensor_mutable_data(value, &data), {});
  data_ = static_cast<std::byte*>(data);
}

std::size_t OnnxTensor::row_bytes() const {
  const auto elements =
      std::accumulate(shape_.begin() + 1, shape_.end(), std::int64_t{1}, std::multiplies<>());
  return static_cast<std::size_t>(elements) * size_of(type_);
}

OnnxTensor OnnxTensor::rows(std::span<const int> which) const {
  std::vector<std::int64_t> shape = shape_;
  shape.front() = static_cast<std::int64_t>(which.size());
  OnnxTensor result(*functions_, type_, std::move(shape));
  const std::size_t size = row_bytes();
  for (std::size_t row = 0; row < which.size(); ++row) {
    std::memcpy(result.data_ + row * size, data_ + static_cast<std::size_t>(which[row]) * size,
                size);
  }
  return result;
}

OnnxSession::OnnxSession(const std::filesystem::path& graph, int threads)
    : functions_(require_onnx_runtime(graph)),
      file_(graph.string()),
      allocator_(default_allocator(functions_)) {
  OrtSessionOptions* options = nullptr;
  check(functions_.create_session_options(&options));
  const std::unique_ptr<OrtSessionOptions, void (*)(OrtSessionOptions*)> owner(
      options, functions_.release_session_options);
  check(functions_.set_intra_op_num_threads(options, threads));
  // Otherwise the threads of one graph turn in circles while another graph, or another library that
  // is compared with this one, could have their cores.
  check(functions_.add_session_config_entry(options, "session.force_spinning_stop", "1"));
  OrtSession* session = nullptr;
  check(functions_.create_session(environment(functions_), file_.c_str(), options, &session));
  session_ = OrtOwned<OrtSession>(session, {&functions_});

  std::size_t input_count = 0;
  std::size_t output_count = 0;
  check(functions_.session_get_input_count(session, &input_count));
  check(functions_.session_get_output_count(session, &output_count));
  inputs_ =
      ports(input_count, functions_.session_get_input_type_info, functions_.session_get_input_name);
  outputs_ = ports(output_count, functions_.session_get_output_type_info,
                   functions_.session_get_output_name);
  for (const OnnxPort& port : inputs_) input_names_.push_back(port.name.c_str());
  for (const OnnxPort& port : outputs_) output_names_.push_back(port.name.c_str());
}

void OnnxSession::check(OrtStatus* status) const { check_status(functions_, status, file_); }

std::string OnnxSession::taken(char* text) const {
  if (text == nullptr) return {};
  std::string copy = text;
  check(functions_.allocator_free(allocator_, text));
  return copy;
}

std::vector<OnnxPort> OnnxSession::ports(std::size_t count, GetTypeInfo get_type,
                                         GetName get_name) const {
  std::vector<OnnxPort> ports(count);
  for (std::size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    check(get_name(session_.get(), i, allocator_, &name));
    ports[i].name = taken(name);
    OrtTypeInfo* info = nullptr;
    check(get_type(session_.get(), i, &info));
    const std::unique_ptr<OrtTypeInfo, void (*)(OrtTypeInfo*)> owner(info,
                                                                     functions_.release_type_info);
    const OrtTensorTypeAndShapeInfo* tensor = nullptr;
    check(functions_.cast_type_info_to_tensor_info(info, &tensor));
    if (tensor == nullptr) continue;  // a sequence or a map, which whoever looks for names meets
    TypeAndShape found = read_info(functions_, tensor);
    ports[i].type = found.type;
    ports[i].shape = std::move(found.shape);
  }
  return ports;
}

std::string OnnxSession::metadata(const char* key) const {
  OrtModelMetadata* metadata = nullptr;
  check(functions_.session_get_model_metadata(session_.get(), &metadata));
  const std::unique_ptr<OrtModelMetadata, void (*)(OrtModelMetadata*)> owner(
      metadata, functions_.release_model_metadata);
  char* value = nullptr;
  check(functions_.model_metadata_lookup(metadata, allocator_, key, &value));
  return taken(value);
}

std::vector<OnnxTensor> OnnxSession::run(std::span<const OnnxTensor* const> inputs) {
  input_values_.clear();
  for (const OnnxTensor* input : inputs) input_values_.push_back(input->value());
  output_values_.assign(outputs_.size(), nullptr);
  check(functions_.run(session_.get(), nullptr, input_names_.data(), input_values_.data(),
                       input_values_.size(), output_names_.data(), output_names_.size(),
                       output_values_.data()));
  std::vector<OnnxTensor> outputs;
  outputs.reserve(output_values_.size());
  for (OrtValue*& value : output_values_)
    outputs.emplace_back(functions_, std::exchange(value, nullptr));
  return outputs;
}

}  // namespace kobolt
