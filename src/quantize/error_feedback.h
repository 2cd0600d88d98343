#pragma once

#include <array>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "runtime/thread_pool.h"

namespace kobolt {

/// What the moments H = X^T X of a layer's inputs say about rounding its weights.
///
/// Rounding errors e of one output feature cost e H e^T. With H = (I + U) D (I + U)^T, U strictly
/// upper triangular and D diagonal, that is the sum over l of D_l (e_l + sum over j < l of
/// e_j U_jl)^2: rounding weights one after another, each towards its value plus the sum over those
/// before it, leaves only D_l times the square of the last rounding. (GPTQ, arXiv 2210.17323, in
/// the form of LDLQ, arXiv 2307.13304.)
class ErrorFeedback {
 public:
  /// Values of one group of inputs, for each output feature of a panel.
  using GroupRows = std::array<std::array<float, kernels::kGroup4>, kernels::kPanel>;

  /// From H [k, k] with a hundredth of its mean diagonal added to the diagonal, which inputs that
  /// say little need.
  ErrorFeedback(std::vector<double> moments, int k, ThreadPool& pool);

  [[nodiscard]] int k() const { return k_; }
  /// Sums over inputs before group `group` of errors [16, k] times U, for the inputs of the group.
  [[nodiscard]] GroupRows carried(std::span<const float> errors, int group) const;
  /// Row l of U within group `group`: what an error of its input l adds to each input of the
  /// group; 0 for itself and those before it.
  [[nodiscard]] const float* within(int group, int l) const;
  /// D of the inputs of a group; 0 past k.
  [[nodiscard]] const float* costs(int group) const {
    return costs_.data() + static_cast<std::ptrdiff_t>(group) * kernels::kGroup4;
  }
  /// The sum of e H e^T over rows e [16, k].
  [[nodiscard]] double cost(std::span<const float> errors) const;

 private:
  [[nodiscard]] const float* columns(int group) const;

  int k_;
  double damping_;
  std::vector<float> u_;  // by groups of columns, each [k, kGroup4]
  std::vector<float> costs_;
};

}  // namespace kobolt
