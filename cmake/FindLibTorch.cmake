# LibTorch for the processor: Debian's libtorch-dev, or the one inside PyPI's torch when
# CMAKE_PREFIX_PATH points there. LibTorch's own package file is not used, since that of a build for
# GPUs asks for the whole CUDA toolkit, which running on the processor does not need.
#   LibTorch::LibTorch  LibTorch_VERSION
find_path(LibTorch_INCLUDE_DIR torch/script.h)
find_path(LibTorch_API_INCLUDE_DIR torch/version.h
  HINTS ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include PATH_SUFFIXES torch/csrc/api/include)
find_library(LibTorch_CPU_LIBRARY torch_cpu)
find_library(LibTorch_C10_LIBRARY c10)
mark_as_advanced(LibTorch_INCLUDE_DIR LibTorch_API_INCLUDE_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY)

if(LibTorch_API_INCLUDE_DIR)
  # Newer ones keep the numbers in another folder.
  foreach(header IN ITEMS ${LibTorch_API_INCLUDE_DIR}/torch/version.h ${LibTorch_INCLUDE_DIR}/torch/headeronly/version.h)
    if(EXISTS ${header})
      file(STRINGS ${header} lines REGEX "define TORCH_VERSION(_[A-Z]+)? ")
      if("${lines}" MATCHES "TORCH_VERSION_MAJOR +([0-9]+)")
        set(major ${CMAKE_MATCH_1})
        string(REGEX MATCH "TORCH_VERSION_MINOR +([0-9]+)" _ "${lines}")
        set(minor ${CMAKE_MATCH_1})
        string(REGEX MATCH "TORCH_VERSION_PATCH +([0-9]+)" _ "${lines}")
        set(LibTorch_VERSION ${major}.${minor}.${CMAKE_MATCH_1})
      endif()
    endif()
  endforeach()
endif()

# Debian's LibTorch calls the system's protobuf, and Debian's libsentencepiece, which Kobolt's library
# needs, exports an old one of its own. The loader finds first what stands first (base/shared_library.h).
set(protobuf)
if(LibTorch_CPU_LIBRARY AND CMAKE_READELF)
  execute_process(COMMAND ${CMAKE_READELF} --dynamic ${LibTorch_CPU_LIBRARY} OUTPUT_VARIABLE needed ERROR_QUIET)
  if("${needed}" MATCHES "libprotobuf\\.so[.0-9]*")
    find_library(LibTorch_PROTOBUF_LIBRARY NAMES ${CMAKE_MATCH_0})
    mark_as_advanced(LibTorch_PROTOBUF_LIBRARY)
    if(LibTorch_PROTOBUF_LIBRARY)
      set(protobuf -Wl,--push-state,--no-as-needed ${LibTorch_PROTOBUF_LIBRARY} -Wl,--pop-state)
    endif()
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR LibTorch_API_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION)
if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  set_target_properties(LibTorch::LibTorch PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${LibTorch_INCLUDE_DIR};${LibTorch_API_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${protobuf};${LibTorch_CPU_LIBRARY};${LibTorch_C10_LIBRARY}")
endif()
