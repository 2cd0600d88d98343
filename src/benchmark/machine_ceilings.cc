#include "benchmark/ceilings.h"
#include "kobolt/profile.h"

namespace kobolt {

std::optional<MachineCeilings> machine_ceilings(int threads) {
  constexpr double kGiga = 1e9;
  if (!can_measure_ceilings()) return std::nullopt;
  const Ceilings ceilings = measure_ceilings(static_cast<unsigned>(threads));
  return MachineCeilings{.fp32 = ceilings.fp32 * kGiga,
                         .integer = ceilings.integer * kGiga,
                         .read = ceilings.read * kGiga};
}

}  // namespace kobolt
