#include "export/tensorrt/convert.h"

#include "export/tensorrt/onnx_step.h"
#include "export/tensorrt/plan_file.h"
#include "export/tensorrt/profile.h"
#include "kobolt/error.h"
#include "kobolt/torchscript.h"

namespace kobolt {
namespace {

std::filesystem::path with_extension(std::filesystem::path path, const char* extension) {
  return path.replace_extension(extension);
}

TensorRTConversion fall_back(const Model& model, const TensorRTOptions& options,
                             const std::filesystem::path& output, const std::string& reason) {
  switch (options.fallback) {
    case TensorRTFallback::kobolt: {
      const auto path = with_extension(output, ".kobolt");
      compile(model, path, {.precision = options.precision});
      return {.path = path, .backend = "Kobolt's CPU engine", .fallback_reason = reason};
    }
    case TensorRTFallback::torchscript: {
      const auto path = with_extension(output, ".pt");
      export_torchscript(model, path);
      return {.path = path, .backend = "TorchScript", .fallback_reason = reason};
    }
    case TensorRTFallback::none:
      break;
  }
  throw Error(
      ErrorKind::unsupported, reason,
      {.hint = "convert on a machine that has it, or allow a fallback (--fallback kobolt)"});
}

void check_calibration(const Model& model, const TensorRTOptions& options) {
  if (options.precision != Precision::int8) return;
  if (options.calibration == nullptr) {
    throw Error(
        ErrorKind::invalid_argument, "int8 for TensorRT needs a calibration",
        {.field = "calibration", .hint = "run kobolt calibrate and give its file, or choose fp16"});
  }
  options.calibration->require(model);
}

}  // namespace

TensorRTConversion convert(const Model& model, const TensorRTOptions& options, TensorRTShape shape,
                           const std::filesystem::path& output, bool dynamic_axes,
                           const TensorRTAvailability& here) {
  const TensorRTProfile profile = profile_of(model.config, options, shape, dynamic_axes);
  if (here.component == nullptr) return fall_back(model, options, output, here.reason);
  check_calibration(model, options);
  const OnnxStep onnx(model, options);
  const TensorRTBuild build{.onnx_folder = onnx.folder(),
                            .workspace_size = options.workspace_size,
                            .profile = profile,
                            .timing_cache = options.timing_cache.empty()
                                                ? with_extension(output, ".timing")
                                                : options.timing_cache,
                            .tf32 = options.precision != Precision::fp32};
  const TensorRTPlans plans = here.component->build(build);
  if (const std::string why = here.component->why_not_here(plans); !why.empty()) {
    return fall_back(model, options, output,
                     "TensorRT " + here.platform.version + " does not run on this GPU, " +
                         here.platform.device + ": " + why);
  }
  write_plan_file(output, model, options.precision, here.platform, profile, plans);
  return {.path = output, .backend = "TensorRT " + here.platform.version};
}

}  // namespace kobolt
