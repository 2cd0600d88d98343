#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// The part of ONNX Runtime's C API that Kobolt calls, so that building Kobolt needs neither the
// library nor its headers. By the API's contract the functions are a table that only grows at its
// end: a function's place and type never change. tests/onnxruntime/c_api_test.cc compares with ONNX
// Runtime's own header where that is installed.

struct OrtEnv;
struct OrtStatus;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtTypeInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtModelMetadata;
struct OrtAllocator;

namespace kobolt {

/// ONNXTensorElementDataType, those that the graphs of a summariser have.
enum class OnnxElement : std::uint32_t { f32 = 1, i64 = 7, f16 = 10 };
/// Of OrtLoggingLevel, what prints nothing: errors come back as OrtStatus.
enum class OrtLogging : std::uint32_t { fatal = 4 };

/// The beginning of OrtApi. A function that returns an OrtStatus has failed unless that is null.
struct OrtFunctions {
  using Place = void*;  ///< of a function that is not called here
  template <std::size_t count>
  using Places = std::array<Place, count>;

  Places<2> from_0;
  const char* (*get_error_message)(const OrtStatus*) noexcept;
  OrtStatus* (*create_env)(OrtLogging, const char* name, OrtEnv**) noexcept;
  Places<3> from_4;
  OrtStatus* (*create_session)(const OrtEnv*, const char* path, const OrtSessionOptions*,
                               OrtSession**) noexcept;
  Place from_8;
  OrtStatus* (*run)(OrtSession*, const OrtRunOptions*, const char* const* input_names,
                    const OrtValue* const* inputs, std::size_t input_count,
                    const char* const* output_names, std::size_t output_count,
                    OrtValue** outputs) noexcept;
  OrtStatus* (*create_session_options)(OrtSessionOptions**) noexcept;
  Places<13> from_11;
  OrtStatus* (*set_intra_op_num_threads)(OrtSessionOptions*, int threads) noexcept;
  Places<5> from_25;
  OrtStatus* (*session_get_input_count)(const OrtSession*, std::size_t*) noexcept;
  OrtStatus* (*session_get_output_count)(const OrtSession*, std::size_t*) noexcept;
  Place from_32;
  OrtStatus* (*session_get_input_type_info)(const OrtSession*, std::size_t index,
                                            OrtTypeInfo**) noexcept;
  OrtStatus* (*session_get_output_type_info)(const OrtSession*, std::size_t index,
                                             OrtTypeInfo**) noexcept;
  Place from_35;
  OrtStatus* (*session_get_input_name)(const OrtSession*, std::size_t index, OrtAllocator*,
                                       char**) noexcept;
  OrtStatus* (*session_get_output_name)(const OrtSession*, std::size_t index, OrtAllocator*,
                                        char**) noexcept;
  Places<10> from_38;
  OrtStatus* (*create_tensor_as_ort_value)(OrtAllocator*, const std::int64_t* shape,
                                           std::size_t axes, OnnxElement, OrtValue**) noexcept;
  Places<2> from_49;
  OrtStatus* (*get_tensor_mutable_data)(OrtValue*, void**) noexcept;
  Places<3> from_52;
  /// Null in place of what is no tensor. What it gives belongs to the type info.
  OrtStatus* (*cast_type_info_to_tensor_info)(const OrtTypeInfo*,
                                              const OrtTensorTypeAndShapeInfo**) noexcept;
  Places<4> from_56;
  OrtStatus* (*get_tensor_element_type)(const OrtTensorTypeAndShapeInfo*, OnnxElement*) noexcept;
  OrtStatus* (*get_dimensions_count)(const OrtTensorTypeAndShapeInfo*, std::size_t*) noexcept;
  /// -1 for sizes that a call chooses.
  OrtStatus* (*get_dimensions)(const OrtTensorTypeAndShapeInfo*, std::int64_t* shape,
                               std::size_t axes) noexcept;
  Places<2> from_63;
  OrtStatus* (*get_tensor_type_and_shape)(const OrtValue*, OrtTensorTypeAndShapeInfo**) noexcept;
  Places<10> from_66;
  OrtStatus* (*allocator_free)(OrtAllocator*, void*) noexcept;
  Place from_77;
  /// The processor's memory; nobody's to release.
  OrtStatus* (*get_allocator_with_default_options)(OrtAllocator**) noexcept;
  Places<14> from_79;
  void (*release_status)(OrtStatus*);
  Place from_94;
  void (*release_session)(OrtSession*);
  void (*release_value)(OrtValue*);
  Place from_97;
  void (*release_type_info)(OrtTypeInfo*);
  void (*release_tensor_type_and_shape_info)(OrtTensorTypeAndShapeInfo*);
  void (*release_session_options)(OrtSessionOptions*);
  Places<10> from_101;
  OrtStatus* (*session_get_model_metadata)(const OrtSession*, OrtModelMetadata**) noexcept;
  Places<4> from_112;
  /// Null for a key that is not there; else to be freed by the allocator.
  OrtStatus* (*model_metadata_lookup)(const OrtModelMetadata*, OrtAllocator*, const char* key,
                                      char**) noexcept;
  Place from_117;
  void (*release_model_metadata)(OrtModelMetadata*);
  Places<11> from_119;
  OrtStatus* (*add_session_config_entry)(OrtSessionOptions*, const char* key,
                                         const char* value) noexcept;
};
// The places of the last ones of each stretch: whoever miscounts one, miscounts these.
static_assert(offsetof(OrtFunctions, run) == 9 * sizeof(void*));
static_assert(offsetof(OrtFunctions, session_get_output_name) == 37 * sizeof(void*));
static_assert(offsetof(OrtFunctions, get_dimensions) == 62 * sizeof(void*));
static_assert(offsetof(OrtFunctions, release_session_options) == 100 * sizeof(void*));
static_assert(offsetof(OrtFunctions, add_session_config_entry) == 130 * sizeof(void*));

/// What OrtGetApiBase(), the one symbol that the library has to have, returns.
struct OrtBase {
  /// Null for versions beyond the library's own.
  const OrtFunctions* (*get_api)(std::uint32_t version) noexcept;
  const char* (*get_version_string)() noexcept;
};
inline constexpr const char* kOrtEntry = "OrtGetApiBase";

/// The oldest version whose operators Kobolt's graphs need: 1.12, operator set 17.
inline constexpr std::uint32_t kOrtVersion = 12;

}  // namespace kobolt
