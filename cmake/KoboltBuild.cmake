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
  set(CMAKE_CXX_COMPILER_LAUNCHER ${KOBOLT_CCACHE})
endif()

add_library(kobolt_warnings INTERFACE)
target_compile_options(kobolt_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast
  -Wcast-qual -Wimplicit-fallthrough -Wextra-semi -Werror
  # Designated initialisers leave out what keeps its default; that is their point.
  -Wno-missing-field-initializers
  # GCC 12 sees overlaps in std::string's operator+ that are not there (GCC bug 105329).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

if(KOBOLT_SANITIZE)
  add_compile_options(-fsanitize=${KOBOLT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KOBOLT_SANITIZE})
endif()

# kobolt_room(NAME SOURCES a.cc ... [LINKS target ...]): one folder under src/ as an object library
# whose objects go into both libkobolt.a and libkobolt.so.
function(kobolt_room name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_library(kobolt_${name} OBJECT ${arg_SOURCES})
  target_include_directories(kobolt_${name} PRIVATE
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated)
  target_compile_definitions(kobolt_${name} PRIVATE KOBOLT_BUILDING)
  target_link_libraries(kobolt_${name} PRIVATE kobolt_warnings ${arg_LINKS})
  set_property(GLOBAL APPEND PROPERTY KOBOLT_ROOMS kobolt_${name})
  set_property(GLOBAL APPEND PROPERTY KOBOLT_ROOM_LINKS ${arg_LINKS})
endfunction()

# kobolt_test(NAME SOURCES a_test.cc ... [LINKS target ...]): a GoogleTest program; tests see the
# internals (src/) and link the static library.
function(kobolt_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests
    ${PROJECT_BINARY_DIR}/generated)
  target_compile_definitions(${name} PRIVATE KOBOLT_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
    KOBOLT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE kobolt_static kobolt_warnings GTest::gmock GTest::gtest_main
    ${arg_LINKS})
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 0)
endfunction()
