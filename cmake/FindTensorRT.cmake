# TensorRT with its ONNX parser, and the CUDA runtime: NVIDIA's packages, or folders that
# CMAKE_PREFIX_PATH names: of an unpacked archive, or the site-packages that PyPI's tensorrt and
# nvidia-cuda-runtime are in (docs/backends.md), whose libraries have names with a version only.
#   TensorRT::TensorRT  TensorRT_VERSION
set(wheel_suffixes tensorrt_libs nvidia/cu13/lib nvidia/cuda_runtime/lib)
find_path(TensorRT_INCLUDE_DIR NvInfer.h)
find_path(TensorRT_PARSER_INCLUDE_DIR NvOnnxParser.h HINTS ${TensorRT_INCLUDE_DIR})
find_library(TensorRT_LIBRARY NAMES nvinfer libnvinfer.so.11 libnvinfer.so.10 NAMES_PER_DIR PATH_SUFFIXES ${wheel_suffixes})
find_library(TensorRT_PARSER_LIBRARY NAMES nvonnxparser libnvonnxparser.so.11 libnvonnxparser.so.10 NAMES_PER_DIR
  PATH_SUFFIXES ${wheel_suffixes})
find_path(TensorRT_CUDA_INCLUDE_DIR cuda_runtime_api.h HINTS /usr/local/cuda
  PATH_SUFFIXES include nvidia/cu13/include nvidia/cuda_runtime/include)
find_library(TensorRT_CUDA_LIBRARY NAMES cudart libcudart.so.13 libcudart.so.12 NAMES_PER_DIR HINTS /usr/local/cuda
  PATH_SUFFIXES lib64 ${wheel_suffixes})
unset(wheel_suffixes)
mark_as_advanced(TensorRT_INCLUDE_DIR TensorRT_PARSER_INCLUDE_DIR TensorRT_LIBRARY
  TensorRT_PARSER_LIBRARY TensorRT_CUDA_INCLUDE_DIR TensorRT_CUDA_LIBRARY)

if(TensorRT_INCLUDE_DIR)
  set(TensorRT_VERSION "")
  file(STRINGS ${TensorRT_INCLUDE_DIR}/NvInferVersion.h lines REGEX "define (NV_TENSORRT|TRT)_[A-Z]+(_ENTERPRISE)? [0-9]+")
  foreach(part IN ITEMS MAJOR MINOR PATCH)
    if("${lines}" MATCHES "(NV_TENSORRT_${part}|TRT_${part}_ENTERPRISE) ([0-9]+)")
      string(APPEND TensorRT_VERSION "${CMAKE_MATCH_2}.")
    endif()
  endforeach()
  string(REGEX REPLACE "\\.$" "" TensorRT_VERSION "${TensorRT_VERSION}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TensorRT
  REQUIRED_VARS TensorRT_LIBRARY TensorRT_PARSER_LIBRARY TensorRT_INCLUDE_DIR TensorRT_PARSER_INCLUDE_DIR
    TensorRT_CUDA_LIBRARY TensorRT_CUDA_INCLUDE_DIR
  VERSION_VAR TensorRT_VERSION)
if(TensorRT_FOUND AND NOT TARGET TensorRT::TensorRT)
  add_library(TensorRT::TensorRT INTERFACE IMPORTED)
  set_target_properties(TensorRT::TensorRT PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES
      "${TensorRT_INCLUDE_DIR};${TensorRT_PARSER_INCLUDE_DIR};${TensorRT_CUDA_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES
      "${TensorRT_LIBRARY};${TensorRT_PARSER_LIBRARY};${TensorRT_CUDA_LIBRARY}")
endif()
