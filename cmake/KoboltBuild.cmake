# Compiler settings, and the two functions that every room and every test uses.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(KOBOLT_CCACHE ccache)
if(KOBOLT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What ccache asks for, to keep results of files that include precompiled headers. CCACHE_DEPEND:
  # the compiler itself says what a file includes, so that none is preprocessed once more for that.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${KOBOLT_CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()

add_library(kobolt_warnings INTERFACE)
target_compile_options(kobolt_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast
  -Wcast-qual -Wimplicit-fallthrough -Wextra-semi -Werror
  # Designated initialisers leave out what keeps its default; that is their point.
  -Wno-missing-field-initializers
  # GCC 12 sees overlaps in std::string's operator+ that are not there (GCC bug 105329).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

# ./run and CI compile the library in batches of files (CMAKE_UNITY_BUILD), which takes half the time
# from nothing; files in an editor's build compile alone. GCC takes a batch for a header.
if(CMAKE_UNITY_BUILD)
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()

if(KOBOLT_SANITIZE)
  add_compile_options(-fsanitize=${KOBOLT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    # Checks at every use of a pointer or reference, for what AddressSanitizer finds anyway, double
    # the time to compile. Alignment can only go wrong where files are read: rooms say READS_FILES.
    -fno-sanitize=null,object-size,vptr,alignment)
  add_link_options(-fsanitize=${KOBOLT_SANITIZE})
  # The checks of AddressSanitizer as calls: the same checks, an eighth less to compile, slower to run,
  # which only HOT code notices.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options("--param=asan-instrumentation-with-call-threshold=0")
    set(kobolt_inline_checks "--param=asan-instrumentation-with-call-threshold=7000")
  endif()
endif()

# kobolt_room(NAME [HOT] [READS_FILES] SOURCES a.cc ... [HOT_SOURCES b.cc ...] [LINKS target ...]): one folder
# under src/ as an object library whose objects go into both libkobolt.a and libkobolt.so. HOT: loops over
# all weights or all activations, optimised in debug builds too, or their tests would take minutes. Other
# rooms are optimised less in release builds, where it would only cost time to compile.
# HOT_SOURCES: HOT files of such a room, which compile by themselves. READS_FILES: looks at mapped bytes as
# values; sanitized builds check their alignment.
function(kobolt_room name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "HOT;READS_FILES" "" "SOURCES;HOT_SOURCES;LINKS")
  add_library(kobolt_${name} OBJECT ${arg_SOURCES} ${arg_HOT_SOURCES})
  target_include_directories(kobolt_${name} PRIVATE
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated)
  target_compile_definitions(kobolt_${name} PRIVATE KOBOLT_BUILDING)
  target_link_libraries(kobolt_${name} PRIVATE kobolt_warnings ${arg_LINKS})
  if(arg_HOT)
    target_compile_options(kobolt_${name} PRIVATE $<$<CONFIG:Debug>:-O1> ${kobolt_inline_checks})
  else()
    target_compile_options(kobolt_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  set_source_files_properties(${arg_HOT_SOURCES} PROPERTIES
    COMPILE_OPTIONS "$<$<CONFIG:Debug>:-O1>;$<$<CONFIG:Release>:-O3>;${kobolt_inline_checks}")
  if(arg_READS_FILES AND KOBOLT_SANITIZE MATCHES undefined)
    target_compile_options(kobolt_${name} PRIVATE -fsanitize=alignment)
  endif()
  set_property(GLOBAL APPEND PROPERTY KOBOLT_ROOMS kobolt_${name})
  set_property(GLOBAL APPEND PROPERTY KOBOLT_ROOM_LINKS ${arg_LINKS})
endfunction()

# kobolt_component(NAME SOURCES a.cc ... LINKS target ...): an optional part of Kobolt that needs a large
# library of somebody else, as a library of its own that is loaded when first asked for (src/component).
function(kobolt_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_library(kobolt_component_${name} MODULE ${arg_SOURCES})
  target_include_directories(kobolt_component_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src
    ${PROJECT_BINARY_DIR}/generated)
  # The other library and what it needs come first for the loader too.
  target_link_libraries(kobolt_component_${name} PRIVATE ${arg_LINKS} kobolt_static kobolt_warnings)
  set_target_properties(kobolt_component_${name} PROPERTIES OUTPUT_NAME kobolt_${name}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR} INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS kobolt_component_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

# Compiling the tests takes as long as compiling the library. Their time is spent in parsing the
# headers of GoogleTest, which is done once for all of them, and in optimising code that runs once,
# which is left out.
function(kobolt_compile_fast target)
  target_compile_options(${target} PRIVATE -O0 ${ARGN})
  if(NOT TARGET kobolt_test_headers)
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/test_headers.cc CONTENT "")
    add_executable(kobolt_test_headers ${PROJECT_BINARY_DIR}/generated/test_headers.cc)
    target_compile_options(kobolt_test_headers PRIVATE -O0 ${ARGN})
    target_link_libraries(kobolt_test_headers PRIVATE kobolt_warnings GTest::gmock GTest::gtest_main
      nlohmann_json::nlohmann_json)
    target_precompile_headers(kobolt_test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h>
      <nlohmann/json.hpp> <filesystem> <fstream> <random>)
  endif()
  target_precompile_headers(${target} REUSE_FROM kobolt_test_headers)
endfunction()

# kobolt_test(NAME [HOT] SOURCES a_test.cc ... [LINKS target ...]): a GoogleTest program; tests see the
# internals (src/) and link the static library. HOT: computes so much itself, to compare with, that it
# is worth optimising.
function(kobolt_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "HOT" "" "SOURCES;LINKS")
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests
    ${PROJECT_BINARY_DIR}/generated)
  target_compile_definitions(${name} PRIVATE KOBOLT_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
    KOBOLT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE kobolt_static kobolt_warnings GTest::gmock GTest::gtest_main
    ${arg_LINKS})
  set(flags "")
  if(KOBOLT_SANITIZE MATCHES undefined)
    set(flags -fno-sanitize=undefined)  # the library is under test, not the tests
  endif()
  if(arg_HOT)
    target_compile_options(${name} PRIVATE -O1 ${flags} ${kobolt_inline_checks})
  else()
    kobolt_compile_fast(${name} ${flags})
  endif()
  if(KOBOLT_SANITIZE)
    # A process for each test takes longer to start than most tests take.
    foreach(shard RANGE 3)
      add_test(NAME ${name}.${shard} COMMAND ${name})
      set_tests_properties(${name}.${shard} PROPERTIES TIMEOUT 0
        ENVIRONMENT "GTEST_TOTAL_SHARDS=4;GTEST_SHARD_INDEX=${shard}")
    endforeach()
  else()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 0)
  endif()
endfunction()

# kobolt_python_tests(ROOM name ...): ROOM.name runs name_test.py of this folder with the program. Where the
# Python that CMake finds lacks what the script imports, it says "Skipped".
function(kobolt_python_tests room)
  find_package(Python3 3.11 COMPONENTS Interpreter)
  if(NOT Python3_FOUND OR CMAKE_CROSSCOMPILING)
    return()
  endif()
  foreach(name IN LISTS ARGN)
    add_test(NAME ${room}.${name} COMMAND ${Python3_EXECUTABLE} -B
      ${CMAKE_CURRENT_SOURCE_DIR}/${name}_test.py $<TARGET_FILE:kobolt>)
    set_tests_properties(${room}.${name} PROPERTIES SKIP_RETURN_CODE 77)
  endforeach()
endfunction()
