#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/prune.h"
#include "prune/selection.h"

namespace kobolt {

/// Throws Error(invalid_argument) for what is not between 0 and 1.
void check_amount(double amount);

/// Python's round(amount * of): halves to even.
std::int64_t share_of(double amount, std::int64_t of);

/// One call's chosen tensors with copies of their masks, so that a failure leaves the model as it
/// was.
class PruningWork {
 public:
  /// Throws Error(invalid_argument) for wrong targets and for a permanently pruned model.
  PruningWork(Model& model, const PruningTargets& targets);
  /// The same with the tensors that `targets` led to.
  PruningWork(Model& model, const PruningTargets& targets, const std::vector<std::string>& tensors);

  /// In the order of computation.
  [[nodiscard]] std::span<Candidates> pieces() { return pieces_; }
  [[nodiscard]] std::map<std::string, Mask>& masks() { return masks_; }

  /// Throws Error(corrupt) for an unpruned weight that is not a number.
  void refuse_not_a_number() const;
  /// Gives the model its new masks. `what` goes into its provenance.
  void commit(std::string_view what);

 private:
  Model& model_;
  int threads_;
  std::map<std::string, Mask> masks_;
  std::vector<Candidates> pieces_;
};

}  // namespace kobolt
