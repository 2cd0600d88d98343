#include "optimize/prepare.h"

#include <algorithm>

#include "compile/precision_plan.h"
#include "optimize/pruning_evidence.h"

namespace kobolt {

Model prepared(const Model& model, const Setting& setting, int threads,
               const PruningEvidence& evidence) {
  Model copy = model;
  if (setting.pruning) prune(copy, *setting.pruning, threads, evidence);
  if (setting.beams > 0) copy.generation.num_beams = setting.beams;
  return copy;
}

bool has_int4(const Setting& setting) {
  return setting.compile.precision == Precision::int4 || setting.compile.int4_share > 0 ||
         std::ranges::any_of(setting.compile.layers, [](const LayerPrecision& layer) {
           return layer.precision == Precision::int4;
         });
}

namespace {

/// Where only a share is to be int4, all layers are rounded to find out which.
CompileOptions candidates(CompileOptions options) {
  if (options.int4_share > 0) options = {.precision = Precision::int4};
  return options;
}

/// What of a rounding is in the engine.
std::shared_ptr<const Int4Rounding> used(const CompileOptions& options, const ModelConfig& config) {
  if (!options.int4) return nullptr;
  const PrecisionPlan plan(options, config);
  auto rounding = std::make_shared<Int4Rounding>(*options.int4);
  std::erase_if(rounding->matrices, [&](const Int4Matrix& matrix) {
    return plan.of(matrix.section) != Precision::int4;
  });
  return rounding;
}

}  // namespace

std::shared_ptr<const Int4Rounding> compile_setting(const Model& model, const Setting& setting,
                                                    const std::filesystem::path& output,
                                                    const SettingData& data,
                                                    const CalibrationOptions& options) {
  PruningEvidence evidence;
  if (setting.pruning) {
    collect_evidence(model, *setting.pruning, data.pruning, options, evidence);
  }
  const Model copy = prepared(model, setting, options.threads, evidence);
  CompileOptions compile_options = setting.compile;
  if (has_int4(setting) && !data.calibration.empty()) {
    compile_options.int4 = std::make_shared<Int4Rounding>(
        round_to_int4(copy, data.calibration, candidates(compile_options), options));
  }
  compile(copy, output, compile_options);
  return used(compile_options, copy.config);
}

}  // namespace kobolt
