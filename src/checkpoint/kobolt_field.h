#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kobolt/model.h"

namespace kobolt {

/// The field "kobolt" of config.json, which other programs keep and ignore: what was done to the
/// model, and layer shapes that the other fields cannot express.
struct KoboltField {
  PruningRecord pruning;
  std::vector<std::string> steps;           ///< of Provenance
  std::vector<LayerConfig> encoder_layers;  ///< empty: as the other fields say
  std::vector<LayerConfig> decoder_layers;

  bool operator==(const KoboltField&) const = default;
};

/// Of a parsed config.json; without the field, nothing was done. Throws Error(corrupt) naming
/// `file` and field.
KoboltField parse_kobolt_field(const nlohmann::json& config, const std::string& file);

nlohmann::ordered_json to_json(const KoboltField& field);

}  // namespace kobolt
