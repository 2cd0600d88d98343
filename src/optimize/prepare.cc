#include "optimize/prepare.h"

#include <algorithm>

namespace kobolt {

Model prepared(const Model& model, const Setting& setting, int threads) {
  Model copy = model;
  if (setting.pruning) prune(copy, *setting.pruning, threads);
  if (setting.beams > 0) copy.generation.num_beams = setting.beams;
  return copy;
}

bool has_int4(const Setting& setting) {
  return setting.compile.precision == Precision::int4 ||
         std::ranges::any_of(setting.compile.layers, [](const LayerPrecision& layer) {
           return layer.precision == Precision::int4;
         });
}

std::shared_ptr<const Int4Rounding> compile_setting(const Model& model, const Setting& setting,
                                                    const std::filesystem::path& output,
                                                    std::span<const std::string> calibration,
                                                    const CalibrationOptions& options) {
  const Model copy = prepared(model, setting, options.threads);
  CompileOptions compile_options = setting.compile;
  if (has_int4(setting) && !calibration.empty()) {
    compile_options.int4 =
        std::make_shared<Int4Rounding>(round_to_int4(copy, calibration, compile_options, options));
  }
  compile(copy, output, compile_options);
  return compile_options.int4;
}

}  // namespace kobolt
