#include "compile/int4_choice.h"

#include <algorithm>
#include <cmath>

namespace kobolt {
namespace {

double weights_of(const Int4Matrix& matrix) { return static_cast<double>(matrix.n) * matrix.k; }

/// Noise beside the signal, a weight.
double price(const Int4Matrix& matrix) {
  return std::pow(10.0, -matrix.db / 10) / weights_of(matrix);
}

}  // namespace

std::vector<std::string> least_noisy(const Int4Rounding& rounding, double share) {
  std::vector<const Int4Matrix*> order;
  double all = 0;
  for (const Int4Matrix& matrix : rounding.matrices) {
    order.push_back(&matrix);
    all += weights_of(matrix);
  }
  std::ranges::stable_sort(order, {}, [](const Int4Matrix* matrix) { return price(*matrix); });
  std::vector<std::string> sections;
  double taken = 0;
  for (const Int4Matrix* matrix : order) {
    if (taken + weights_of(*matrix) > share * all) continue;
    taken += weights_of(*matrix);
    sections.push_back(matrix->section);
  }
  return sections;
}

}  // namespace kobolt
