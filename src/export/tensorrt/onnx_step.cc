#include "export/tensorrt/onnx_step.h"

#include <stdlib.h>

#include <string>
#include <system_error>

#include "kobolt/error.h"
#include "kobolt/onnx.h"

namespace kobolt {
namespace {

std::filesystem::path temporary_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "kobolt-onnx-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error(ErrorKind::io, "no temporary folder for the ONNX graphs", {.file = name});
  }
  return name;
}

OnnxOptions onnx_options(const TensorRTOptions& options) {
  OnnxOptions onnx{.fixed_cache = true};
  if (options.precision == Precision::fp16) onnx.precision = OnnxPrecision::fp16;
  if (options.precision == Precision::int8) {
    onnx.precision = OnnxPrecision::int8;
    onnx.calibration = *options.calibration;
  }
  return onnx;
}

}  // namespace

OnnxStep::OnnxStep(const Model& model, const TensorRTOptions& options)
    : folder_(temporary_folder()) {
  try {
    export_onnx(model, folder_, onnx_options(options));
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
    throw;
  }
}

OnnxStep::~OnnxStep() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace kobolt
