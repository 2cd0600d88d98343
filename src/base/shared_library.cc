#include "base/shared_library.h"

#include <dlfcn.h>

#include <cstdlib>

namespace kobolt {
namespace {

#ifdef KOBOLT_SANITIZED
constexpr int kOwnSymbolsFirst = 0;  // sanitizers end the process that asks for it
#else
constexpr int kOwnSymbolsFirst = RTLD_DEEPBIND;
#endif

}  // namespace

void* load_library(const std::string& path) {
  // What is preloaded, an allocator perhaps, must serve both sides: memory is passed between them.
  const bool preloaded = std::getenv("LD_PRELOAD") != nullptr;
  return ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | (preloaded ? 0 : kOwnSymbolsFirst));
}

}  // namespace kobolt
