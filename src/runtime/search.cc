#include "runtime/search.h"

#include <algorithm>

#include "runtime/beam_search.h"
#include "runtime/stepwise_search.h"

namespace kobolt {

std::unique_ptr<Search> Search::create(const GenerationPlan& plan) {
  if (plan.num_beams > 1) return std::make_unique<BeamSearch>(plan);
  return std::make_unique<StepwiseSearch>(plan);
}

std::size_t Search::row_of(std::int32_t token, std::size_t parent) {
  const Row row{.token = token, .parent = static_cast<std::int32_t>(parent)};
  const auto found = std::ranges::find(rows_, row);
  const auto index = static_cast<std::size_t>(found - rows_.begin());
  if (found == rows_.end()) rows_.push_back(row);
  return index;
}

}  // namespace kobolt
