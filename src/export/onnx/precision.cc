#include <fmt/format.h>

#include <array>
#include <string>

#include "base/choice.h"
#include "kobolt/error.h"
#include "kobolt/onnx.h"

namespace kobolt {
namespace {

constexpr std::array kOnnxPrecisions = {OnnxPrecision::fp32, OnnxPrecision::fp16,
                                        OnnxPrecision::int8, OnnxPrecision::int8_weights,
                                        OnnxPrecision::int4_weights};

}  // namespace

std::string_view name_of(OnnxPrecision precision) {
  switch (precision) {
    case OnnxPrecision::fp32:
      return "fp32";
    case OnnxPrecision::fp16:
      return "fp16";
    case OnnxPrecision::int8:
      return "int8";
    case OnnxPrecision::int8_weights:
      return "int8-weights";
    case OnnxPrecision::int4_weights:
      return "int4-weights";
  }
  return "?";
}

OnnxPrecision onnx_precision_from_name(std::string_view name) {
  return choice_from_name(kOnnxPrecisions, name, "no such precision of an ONNX export",
                          "precision");
}

OnnxLayerPrecision onnx_layer_precision_from_text(std::string_view text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw Error(ErrorKind::invalid_argument, "not the precision of a layer",
                {.field = "layer",
                 .found = fmt::format("\"{}\"", text),
                 .expected = "PATTERN=PRECISION, such as lm_head=fp32"});
  }
  return {.pattern = std::string(text.substr(0, equals)),
          .precision = onnx_precision_from_name(text.substr(equals + 1))};
}

}  // namespace kobolt
