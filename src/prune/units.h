#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "kobolt/prune.h"
#include "prune/selection.h"

namespace kobolt {

/// Rows (dim 0) or columns (dim 1) of a weight matrix.
struct UnitSide {
  std::string tensor;
  int dim = 0;
};

/// What can vanish from one block of a layer: the heads of an attention or the neurons of an ffn.
/// Unit u owns channels [u * width, (u + 1) * width) of each side. The first sides are inputs'
/// (rows), the last one, `output`, brings the units back into the residual stream (columns).
struct UnitGroup {
  std::string name;  ///< "encoder.layers.0.self_attn", "encoder.layers.0.ffn"
  bool attention = false;
  int count = 0;
  int width = 1;
  std::vector<UnitSide> sides;

  [[nodiscard]] const UnitSide& output() const { return sides.back(); }
  /// The side whose rows alone decide what a unit computes: the values of a head, a neuron's input.
  [[nodiscard]] const UnitSide& value() const { return sides[sides.size() - 2]; }
};

/// All of a model, in the order of computation.
std::vector<UnitGroup> unit_groups(const ModelConfig& config);

/// The groups that have a matrix among `tensors`.
std::vector<UnitGroup> groups_with(std::vector<UnitGroup> groups,
                                   std::span<const std::string> tensors);

/// Of each unit the norm over all its weights' scores, as channel_ranks() orders them. `pieces` has
/// the group's matrices.
std::vector<double> unit_ranks(std::span<const Candidates> pieces, const UnitGroup& group,
                               PruningNorm norm);

/// Units of which any weight is unpruned in the output side.
std::vector<std::int64_t> active_units(const UnitGroup& group,
                                       const std::map<std::string, Mask>& masks);

/// Prunes every weight of a unit.
void prune_unit(const UnitGroup& group, std::int64_t unit, std::map<std::string, Mask>& masks);

}  // namespace kobolt
