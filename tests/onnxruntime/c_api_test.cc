// Kobolt's declarations of ONNX Runtime's C API against its own header: every function at its
// place, with its types. Compiles, or the declarations are wrong; there is nothing to run.

#include "onnxruntime/c_api.h"

#include <onnxruntime_c_api.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace kobolt {
namespace {

// The header's enumerations have no type of their own choice; Kobolt's have the size that they get.
template <typename T>
struct Plain {
  using Type = T;
};
template <typename T>
requires std::is_enum_v<T>
struct Plain<T> {
  static_assert(sizeof(T) == sizeof(std::uint32_t));
  using Type = std::uint32_t;
};
template <typename T>
requires std::is_enum_v<T>
struct Plain<T*> {
  using Type = std::uint32_t*;
};

// What matters for a call: the types, not who promises not to throw.
template <typename Result, typename... Arguments>
struct Plain<Result (*)(Arguments...)> {
  using Type = Result (*)(typename Plain<Arguments>::Type...);
};
template <typename Result, typename... Arguments>
struct Plain<Result (*)(Arguments...) noexcept> : Plain<Result (*)(Arguments...)> {};

#define KOBOLT_SAME(ours, theirs)                                            \
  static_assert(offsetof(OrtFunctions, ours) == offsetof(::OrtApi, theirs)); \
  static_assert(std::is_same_v<Plain<decltype(OrtFunctions::ours)>::Type,    \
                               Plain<decltype(::OrtApi::theirs)>::Type>)

KOBOLT_SAME(get_error_message, GetErrorMessage);
KOBOLT_SAME(create_env, CreateEnv);
KOBOLT_SAME(create_session, CreateSession);
KOBOLT_SAME(run, Run);
KOBOLT_SAME(create_session_options, CreateSessionOptions);
KOBOLT_SAME(set_intra_op_num_threads, SetIntraOpNumThreads);
KOBOLT_SAME(session_get_input_count, SessionGetInputCount);
KOBOLT_SAME(session_get_output_count, SessionGetOutputCount);
KOBOLT_SAME(session_get_input_type_info, SessionGetInputTypeInfo);
KOBOLT_SAME(session_get_output_type_info, SessionGetOutputTypeInfo);
KOBOLT_SAME(session_get_input_name, SessionGetInputName);
KOBOLT_SAME(session_get_output_name, SessionGetOutputName);
KOBOLT_SAME(create_tensor_as_ort_value, CreateTensorAsOrtValue);
KOBOLT_SAME(get_tensor_mutable_data, GetTensorMutableData);
KOBOLT_SAME(cast_type_info_to_tensor_info, CastTypeInfoToTensorInfo);
KOBOLT_SAME(get_tensor_element_type, GetTensorElementType);
KOBOLT_SAME(get_dimensions_count, GetDimensionsCount);
KOBOLT_SAME(get_dimensions, GetDimensions);
KOBOLT_SAME(get_tensor_type_and_shape, GetTensorTypeAndShape);
KOBOLT_SAME(allocator_free, AllocatorFree);
KOBOLT_SAME(get_allocator_with_default_options, GetAllocatorWithDefaultOptions);
KOBOLT_SAME(release_status, ReleaseStatus);
KOBOLT_SAME(release_session, ReleaseSession);
KOBOLT_SAME(release_value, ReleaseValue);
KOBOLT_SAME(release_type_info, ReleaseTypeInfo);
KOBOLT_SAME(release_tensor_type_and_shape_info, ReleaseTensorTypeAndShapeInfo);
KOBOLT_SAME(release_session_options, ReleaseSessionOptions);
KOBOLT_SAME(session_get_model_metadata, SessionGetModelMetadata);
KOBOLT_SAME(model_metadata_lookup, ModelMetadataLookupCustomMetadataMap);
KOBOLT_SAME(release_model_metadata, ReleaseModelMetadata);
KOBOLT_SAME(add_session_config_entry, AddSessionConfigEntry);

static_assert(offsetof(OrtBase, get_api) == offsetof(::OrtApiBase, GetApi));
static_assert(offsetof(OrtBase, get_version_string) == offsetof(::OrtApiBase, GetVersionString));
static_assert(static_cast<int>(OnnxElement::f32) == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
static_assert(static_cast<int>(OnnxElement::i64) == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
static_assert(static_cast<int>(OnnxElement::f16) == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16);
static_assert(static_cast<int>(OrtLogging::fatal) == ORT_LOGGING_LEVEL_FATAL);
static_assert(kOrtVersion <= ORT_API_VERSION);

}  // namespace
}  // namespace kobolt
