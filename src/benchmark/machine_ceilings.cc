#include "base/machine.h"
#include "benchmark/ceilings.h"
#include "kobolt/profile.h"

namespace kobolt {

std::optional<MachineCeilings> machine_ceilings(int threads) {
  constexpr double kGiga = 1e9;
  if (measurable_sets().empty()) return std::nullopt;
  if (threads <= 0) threads = usable_cores();
  const Ceilings ceilings =
      measure_ceilings(measurable_sets().front(), static_cast<unsigned>(threads));
  return MachineCeilings{.fp32 = ceilings.fp32 * kGiga,
                         .bf16 = ceilings.bf16 * kGiga,
                         .pairs = ceilings.pairs * kGiga,
                         .bytes = ceilings.bytes * kGiga,
                         .read = ceilings.read * kGiga};
}

}  // namespace kobolt
