#pragma once

#include "optimize/goal.h"
#include "optimize/trial_runner.h"

namespace kobolt {

/// Places of the trials that are compared in the end, the best for the goal first; half of them are
/// there for their fidelity. One engine under two names is one of them. The baseline, which is
/// trials[0], is not counted.
std::vector<std::size_t> choose_finalists(const Goal& goal, std::span<const Trial> trials,
                                          std::size_t count);

/// What came of a comparison of finalists.
struct Choice {
  std::optional<std::size_t> chosen;
  std::optional<std::size_t> closest;  ///< where nothing was chosen
  std::vector<std::size_t> refused;    ///< better, but not on the documents held back
};

/// The first finalist, in the order of the goal on the documents searched on, that passes on those
/// held back, and does not fail on the former beyond doubt; of several that are equally good but
/// for noise the one of highest fidelity, on the documents searched on. The order is fixed before
/// those held back are looked at.
Choice choose(const Goal& goal, std::span<const Trial> trials);

}  // namespace kobolt
