#include "kernels/processor.h"

namespace kobolt::kernels {
namespace {

bool made_by_intel() {
#if defined(__x86_64__)
  return __builtin_cpu_is("intel") != 0;
#else
  return false;
#endif
}

}  // namespace

bool permutes_instead_of_multiplying() { return made_by_intel(); }
bool prefers_wide_tiles() { return made_by_intel(); }
bool slow_bf16_products() { return made_by_intel(); }

}  // namespace kobolt::kernels
