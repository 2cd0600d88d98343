#pragma once

#include <span>

#include "kobolt/compare.h"

namespace kobolt {

/// The ratio numerator[i] / denominator[i] over rounds: its Hodges-Lehmann estimate on the
/// logarithm (the median of the means of all pairs of rounds) and the interval that inverts
/// Wilcoxon's signed-rank test. Hollander, Wolfe, Chicken, "Nonparametric Statistical Methods", 3rd
/// edition, sections 3.2 and 3.3.
///
/// The interval covers the truth with the stated confidence, exactly and for any number of rounds,
/// wherever the logarithm of the ratio is as likely to be too high as too low by the same amount.
/// A random order within each round makes that so for equal engines, whatever the machine does over
/// time. No normal distribution is assumed, and one disturbed round moves little.
///
/// Both spans are positive, equally long and not empty. With too few rounds for `confidence` the
/// interval is the widest there is, and its own `confidence` says what that is worth.
RatioInterval ratio_interval(std::span<const double> numerator, std::span<const double> denominator,
                             double confidence);

/// The least number of rounds whose interval can have `confidence`.
int least_rounds(double confidence);

}  // namespace kobolt
