#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/model.h"

namespace kobolt {

/// The module that a tensor belongs to, as people name it: without the "model." in front and the
/// ".weight" or ".bias" behind. "encoder.layers.0.fc1" for model.encoder.layers.0.fc1.weight.
std::string_view module_of(std::string_view tensor);

/// Selects modules by name. '*' stands for any characters within one part between dots, so
/// "encoder.layers.*.fc1" is every encoder layer's fc1 and "decoder.layers.1*" layers 1 and 10 to
/// 19. A pattern that names a module selects all below it too: "encoder.layers.0" the whole layer.
class ModulePattern {
 public:
  /// "model." in front may be left out.
  explicit ModulePattern(std::string_view pattern);

  [[nodiscard]] bool matches(std::string_view module) const;

 private:
  std::vector<std::string> parts_;
};

/// The three of `modules`, or of the groups that they lie in, whose names are closest to `pattern`:
/// "encoder.layers.*.fc1, encoder.layers.*.fc2, ..." for messages.
std::string closest_names(const std::string& pattern, std::span<const std::string> modules);

/// A matrix by its name and, where it is two things at once, by the other one's.
struct MatrixName {
  std::string name;
  std::string alias;

  /// Of an encoder or decoder layer: no embedding, output projection or table of positions.
  [[nodiscard]] bool in_layer() const { return name.find(".layers.") != std::string::npos; }
};

/// Indices of the matrices that `pattern` selects by either name. Throws
/// Error(invalid_argument, `complaint`) where there are none, naming the closest ones.
std::vector<std::size_t> select_matrices(const std::string& pattern,
                                         std::span<const MatrixName> matrices,
                                         const std::string& complaint);

/// The modules of a model that match any of `patterns`, in the order of computation, each once.
/// Throws Error(invalid_argument) for a pattern that matches none, naming the closest ones.
std::vector<std::string> select_modules(std::span<const std::string> patterns,
                                        const ModelConfig& config);

}  // namespace kobolt
