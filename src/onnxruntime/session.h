#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "onnxruntime/c_api.h"

namespace kobolt {

/// Calls the release function of ONNX Runtime that belongs to a type.
struct OrtRelease {
  const OrtFunctions* functions = nullptr;
  void operator()(OrtSession* session) const { functions->release_session(session); }
  void operator()(OrtValue* value) const { functions->release_value(value); }
};
template <typename T>
using OrtOwned = std::unique_ptr<T, OrtRelease>;

/// What goes into a graph and comes out of it: numbers of the processor's memory, the last axis
/// adjacent. Empty until something is moved into it.
class OnnxTensor {
 public:
  OnnxTensor() = default;
  /// Not initialised. Throws Error where memory is missing.
  OnnxTensor(const OrtFunctions& functions, OnnxElement type, std::vector<std::int64_t> shape);
  /// Takes what a graph computed.
  OnnxTensor(const OrtFunctions& functions, OrtValue* value);

  [[nodiscard]] const std::vector<std::int64_t>& shape() const { return shape_; }
  [[nodiscard]] OnnxElement type() const { return type_; }
  /// Bytes of what one number of the first axis stands for.
  [[nodiscard]] std::size_t row_bytes() const;
  [[nodiscard]] std::byte* bytes() const { return data_; }
  template <typename T>
  [[nodiscard]] T* data() const {
    return reinterpret_cast<T*>(data_);
  }
  [[nodiscard]] const OrtValue* value() const { return value_.get(); }

  /// The rows `which` of the first axis, in this order, some perhaps twice.
  [[nodiscard]] OnnxTensor rows(std::span<const int> which) const;

 private:
  const OrtFunctions* functions_ = nullptr;
  OrtOwned<OrtValue> value_;
  OnnxElement type_ = OnnxElement::f32;
  std::vector<std::int64_t> shape_;
  std::byte* data_ = nullptr;
};

/// An input or an output of a graph.
struct OnnxPort {
  std::string name;
  OnnxElement type = OnnxElement::f32;
  std::vector<std::int64_t> shape;  ///< -1: each call chooses
};

/// A graph that is ready to run.
class OnnxSession {
 public:
  /// `threads` of its own. Throws Error naming `graph`, with what ONNX Runtime says.
  OnnxSession(const std::filesystem::path& graph, int threads);

  [[nodiscard]] const std::vector<OnnxPort>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<OnnxPort>& outputs() const { return outputs_; }
  /// What the file says of itself under `key`; empty: nothing.
  [[nodiscard]] std::string metadata(const char* key) const;
  [[nodiscard]] const OrtFunctions& functions() const { return functions_; }
  [[nodiscard]] const std::string& file() const { return file_; }

  /// Inputs and outputs in the order of those above. Throws Error.
  std::vector<OnnxTensor> run(std::span<const OnnxTensor* const> inputs);

 private:
  using GetTypeInfo = OrtStatus* (*)(const OrtSession*, std::size_t, OrtTypeInfo**) noexcept;
  using GetName = OrtStatus* (*)(const OrtSession*, std::size_t, OrtAllocator*, char**) noexcept;

  void check(OrtStatus* status) const;
  [[nodiscard]] std::string taken(char* text) const;
  [[nodiscard]] std::vector<OnnxPort> ports(std::size_t count, GetTypeInfo get_type,
                                            GetName get_name) const;

  const OrtFunctions& functions_;
  std::string file_;
  OrtAllocator* allocator_ = nullptr;
  OrtOwned<OrtSession> session_;
  std::vector<OnnxPort> inputs_;
  std::vector<OnnxPort> outputs_;
  std::vector<const char*> input_names_;
  std::vector<const char*> output_names_;
  std::vector<const OrtValue*> input_values_;  // of the run in progress
  std::vector<OrtValue*> output_values_;
};

}  // namespace kobolt
