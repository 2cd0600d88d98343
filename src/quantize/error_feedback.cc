#include "quantize/error_feedback.h"

#include <algorithm>
#include <cstddef>

#include "quantize/triangular_factor.h"

namespace kobolt {
namespace {

using kernels::kGroup4;
using kernels::kPanel;

constexpr double kDamping = 0.01;  // of the mean diagonal, as GPTQ has it

/// What is added to the diagonal of H [k, k]; of inputs that are always zero anything serves.
double damping(std::span<const double> h, int k) {
  double sum = 0;
  for (std::size_t i = 0; i < h.size(); i += static_cast<std::size_t>(k) + 1) sum += h[i];
  return sum > 0 ? kDamping * sum / k : 1;
}

}  // namespace

ErrorFeedback::ErrorFeedback(std::vector<double> moments, int k, ThreadPool& pool)
    : k_(k), damping_(damping(moments, k)) {
  const auto width = static_cast<std::size_t>(k);
  for (std::size_t i = 0; i < moments.size(); i += width + 1) moments[i] += damping_;
  factor_from_below(moments, k, damping_, pool);
  const auto groups = static_cast<std::size_t>(kernels::groups(k));
  u_.resize(groups * width * kGroup4);
  costs_.resize(groups * kGroup4);
  for (std::size_t l = 0; l < width; ++l) {
    const double pivot = moments[l * width + l];
    costs_[l] = static_cast<float>(pivot * pivot);
    float* column = u_.data() + l / kGroup4 * width * kGroup4 + l % kGroup4;
    for (std::size_t j = 0; j < l; ++j) {
      column[j * kGroup4] = static_cast<float>(moments[j * width + l] / pivot);
    }
  }
}

const float* ErrorFeedback::columns(int group) const {
  return u_.data() + static_cast<std::ptrdiff_t>(group) * k_ * kGroup4;
}

const float* ErrorFeedback::within(int group, int l) const {
  return columns(group) + (static_cast<std::ptrdiff_t>(group) * kGroup4 + l) * kGroup4;
}

ErrorFeedback::GroupRows ErrorFeedback::carried(std::span<const float> errors, int group) const {
  GroupRows sums{};
  const float* u = columns(group);
  for (int j = 0; j < group * kGroup4; ++j, u += kGroup4) {
    for (int row = 0; row < kPanel; ++row) {
      const float error = errors.data()[static_cast<std::ptrdiff_t>(row) * k_ + j];
      auto& sum = sums[static_cast<std::size_t>(row)];
      for (std::size_t l = 0; l < kGroup4; ++l) sum[l] += error * u[l];
    }
  }
  return sums;
}

double ErrorFeedback::cost(std::span<const float> errors) const {
  double sum = 0;
  for (int group = 0; group < kernels::groups(k_); ++group) {
    GroupRows rows = carried(errors, group);
    const int inputs = std::min(kGroup4, k_ - group * kGroup4);
    for (int row = 0; row < kPanel; ++row) {
      auto& sums = rows[static_cast<std::size_t>(row)];
      const float* own = errors.data() + static_cast<std::ptrdiff_t>(row) * k_ + group * kGroup4;
      for (int l = 0; l < inputs; ++l) {
        const float* u = within(group, l);
        for (std::size_t later = 0; later < kGroup4; ++later) sums[later] += own[l] * u[later];
      }
      for (int l = 0; l < inputs; ++l) {
        const double total = static_cast<double>(sums[static_cast<std::size_t>(l)]) + own[l];
        const double squared = static_cast<double>(own[l]) * own[l];
        sum += static_cast<double>(costs(group)[l]) * total * total - damping_ * squared;
      }
    }
  }
  return std::max(0.0, sum);
}

}  // namespace kobolt
