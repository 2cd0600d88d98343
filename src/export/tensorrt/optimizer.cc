#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "export/tensorrt/availability.h"
#include "export/tensorrt/convert.h"
#include "export/tensorrt/plan_file.h"
#include "export/tensorrt/profile.h"
#include "kobolt/error.h"
#include "kobolt/tensorrt.h"
#include "runtime/open_foreign.h"

namespace kobolt {
namespace {

constexpr int kBenchmarkTokens = 64;

[[noreturn]] void refuse_option(const char* field, const std::string& found,
                                const std::string& expected) {
  throw Error(ErrorKind::invalid_argument, "not a setting of TensorRT",
              {.field = field, .found = found, .expected = expected});
}

}  // namespace

TensorRTFallback tensorrt_fallback_from_name(std::string_view name) {
  if (name == "kobolt") return TensorRTFallback::kobolt;
  if (name == "torchscript") return TensorRTFallback::torchscript;
  if (name == "none") return TensorRTFallback::none;
  refuse_option("fallback", fmt::format("\"{}\"", name), "kobolt, torchscript or none");
}

TensorRTOptimizer::TensorRTOptimizer(TensorRTOptions options) : options_(std::move(options)) {
  const Precision precision = options_.precision;
  if (precision != Precision::fp32 && precision != Precision::fp16 &&
      precision != Precision::int8) {
    refuse_option("precision", std::string(name_of(precision)), "fp32, fp16 or int8");
  }
  if (options_.workspace_size == 0) refuse_option("workspace_size", "0", "bytes, at least 1");
  if (options_.max_batch_size < 1) {
    refuse_option("max_batch_size", std::to_string(options_.max_batch_size), "at least 1");
  }
}

TensorRTConversion TensorRTOptimizer::convert_to_tensorrt(const Model& model,
                                                          TensorRTShape input_shape,
                                                          const std::filesystem::path& output_path,
                                                          bool dynamic_axes) const {
  return convert(model, options_, input_shape, output_path, dynamic_axes, tensorrt_here());
}

BenchmarkResult TensorRTOptimizer::benchmark(const std::filesystem::path& converted,
                                             TensorRTShape input_shape, int n_iterations,
                                             int warmup_iterations) const {
  if (is_engine_file(converted) && EngineFile::open(converted)->find(kTensorRTSection) != nullptr) {
    require_inside(PlanFile::open(converted).profile, input_shape, converted.string());
  }
  Summarizer summarizer(converted);
  return kobolt::benchmark(
      summarizer, {.batch = input_shape.batch,
                   .sequence = input_shape.sequence,
                   .new_tokens = std::min(kBenchmarkTokens, summarizer.config().max_positions - 1),
                   .iterations = n_iterations,
                   .warmup = warmup_iterations});
}

bool TensorRTOptimizer::tensorrt_available() { return tensorrt_here().component != nullptr; }

std::string TensorRTOptimizer::unavailable_reason() { return tensorrt_here().reason; }

}  // namespace kobolt
