#include "export/onnx/matrix_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <set>

#include "kobolt/error.h"
#include "model/layout.h"
#include "model/pattern.h"

namespace kobolt::onnx {
namespace {

constexpr const char* kOutput = "lm_head";

std::vector<MatrixName> matrices_of(const ModelConfig& config) {
  const std::string output = config.shared_embedding ? "shared" : "decoder.embed_tokens";
  std::vector<MatrixName> matrices;
  for (const TensorSpec& spec : expected_tensors(config)) {
    if (!spec.name.ends_with(".weight") || spec.shape.size() != 2) continue;
    MatrixName matrix{.name = std::string(module_of(spec.name))};
    if (config.tied_output && matrix.name == output) matrix.alias = kOutput;
    matrices.push_back(std::move(matrix));
  }
  return matrices;
}

/// What a matrix has where the export has `precision`. Tables of positions are small, and every
/// token passes the embeddings and the output projection, whose losses no later layer repairs.
OnnxPrecision default_of(const MatrixName& matrix, OnnxPrecision precision) {
  using enum OnnxPrecision;
  if (matrix.name.ends_with("embed_positions")) return precision == fp16 ? fp16 : fp32;
  if (matrix.in_layer()) return precision;
  return precision == int4_weights ? int8_weights : precision;
}

/// Scales of the layers' inputs, by name, no two of them the same to the last bit. Where q, k and v
/// have one scale, runtimes give them one QuantizeLinear, and ONNX Runtime on x86, which knows fast
/// products of unsigned bytes only, turns into those no QuantizeLinear that several products share:
/// they would stay in fp32.
std::map<std::string, float, std::less<>> distinct_scales(const Calibration& calibration) {
  std::map<std::string, float, std::less<>> scales;
  std::set<float> taken;
  for (const LayerCalibration& layer : calibration.layers) {
    float scale = layer.scale();
    while (!taken.insert(scale).second) scale = std::nextafter(scale, HUGE_VALF);
    scales[layer.name] = scale;
  }
  return scales;
}

/// The exceptions, those of the calibration first, so that the caller's win.
std::vector<OnnxLayerPrecision> exceptions(const OnnxOptions& options) {
  std::vector<OnnxLayerPrecision> layers;
  if (options.calibration && options.precision == OnnxPrecision::int8) {
    for (const LayerCalibration& layer : options.calibration->layers) {
      if (layer.keep) layers.push_back({.pattern = layer.name, .precision = OnnxPrecision::fp32});
    }
  }
  layers.insert(layers.end(), options.layers.begin(), options.layers.end());
  return layers;
}

}  // namespace

MatrixPlan::MatrixPlan(const OnnxOptions& options, const Model& model)
    : attention_type_(options.precision == OnnxPrecision::fp16 ? ElementType::f16
                                                               : ElementType::f32),
      text_(name_of(options.precision)) {
  if (options.calibration) options.calibration->require(model);
  const std::vector<MatrixName> matrices = matrices_of(model.config);
  for (const MatrixName& matrix : matrices) {
    matrices_.emplace_back(matrix.name, default_of(matrix, options.precision));
  }
  for (const OnnxLayerPrecision& layer : exceptions(options)) {
    for (const std::size_t i :
         select_matrices(layer.pattern, matrices, "no matrix of the model has such a name")) {
      matrices_[i].second = layer.precision;
    }
    text_ += fmt::format(", {}={}", layer.pattern, name_of(layer.precision));
  }
  if (!has(OnnxPrecision::int8)) return;
  if (!options.calibration) {
    throw Error(ErrorKind::invalid_argument, "int8 needs the ranges of what flows into its layers",
                {.field = "calibration",
                 .hint = "make it with kobolt calibrate, or use int8-weights, which needs none"});
  }
  input_scales_ = distinct_scales(*options.calibration);
}

float MatrixPlan::input_scale(std::string_view layer) const {
  const auto found = input_scales_.find(layer);
  if (found == input_scales_.end()) {
    throw Error(ErrorKind::not_found, "the calibration lacks a layer",
                {.field = std::string(layer), .hint = "run kobolt calibrate on this model"});
  }
  return found->second;
}

OnnxPrecision MatrixPlan::of(std::string_view module) const {
  const auto found =
      std::ranges::find(matrices_, module, [](const auto& matrix) { return matrix.first; });
  assert(found != matrices_.end());
  return found->second;
}

bool MatrixPlan::has(std::string_view module) const {
  return std::ranges::any_of(matrices_, [&](const auto& matrix) { return matrix.first == module; });
}

bool MatrixPlan::has(OnnxPrecision precision) const {
  return std::ranges::any_of(matrices_,
                             [&](const auto& matrix) { return matrix.second == precision; });
}

}  // namespace kobolt::onnx
