#include "cli/settings_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

namespace kobolt::cli {
namespace {

void add_compile_section(const Setting& setting, const SettingFiles& files, YAML::Emitter& yaml) {
  yaml << YAML::Key << "compile" << YAML::Value << YAML::BeginMap;
  yaml << YAML::Key << "precision" << YAML::Value
       << std::string(name_of(setting.compile.precision));
  if (setting.compile.int4_share > 0) {
    yaml << YAML::Key << "int4-share" << YAML::Value
         << fmt::format("{:g}%", 100 * setting.compile.int4_share);
  }
  if (!setting.compile.layers.empty()) {
    yaml << YAML::Key << "layer" << YAML::Value << YAML::BeginSeq;
    for (const LayerPrecision& layer : setting.compile.layers) {
      yaml << fmt::format("{}={}", layer.pattern, name_of(layer.precision));
    }
    yaml << YAML::EndSeq;
  }
  if (setting.compile.sparse == SparseStorage::smallest) {
    yaml << YAML::Key << "sparse" << YAML::Value << "small";
  }
  if (!files.calibration.empty()) {
    yaml << YAML::Key << "calibration-data" << YAML::Value << files.calibration;
    yaml << YAML::Key << "calibration-samples" << YAML::Value << 0;
  }
  if (setting.pruning) yaml << YAML::Key << "prune" << YAML::Value << name_of(*setting.pruning);
  if (!files.pruning.empty()) {
    yaml << YAML::Key << "prune-data" << YAML::Value << files.pruning;
  }
  if (setting.beams > 0) yaml << YAML::Key << "num-beams" << YAML::Value << setting.beams;
  yaml << YAML::EndMap;
}

}  // namespace

std::string settings_yaml(const Setting& setting, const std::string& comment,
                          const SettingFiles& files) {
  std::string text;
  std::istringstream lines(comment);
  for (std::string line; std::getline(lines, line);) text += "# " + line + "\n";
  YAML::Emitter yaml;
  yaml << YAML::BeginMap;
  add_compile_section(setting, files, yaml);
  // At the top level: for every command that has the option.
  if (setting.kv_cache != KvCache::automatic) {
    yaml << YAML::Key << "kv-cache" << YAML::Value << std::string(name_of(setting.kv_cache));
  }
  if (setting.batch > 0) yaml << YAML::Key << "batch" << YAML::Value << setting.batch;
  if (setting.threads > 0) yaml << YAML::Key << "threads" << YAML::Value << setting.threads;
  yaml << YAML::EndMap;
  return text + yaml.c_str() + "\n";
}

}  // namespace kobolt::cli
