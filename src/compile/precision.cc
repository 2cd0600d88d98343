#include <fmt/format.h>

#include <array>
#include <string>

#include "base/choice.h"
#include "kobolt/compile.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

constexpr std::array kPrecisions = {Precision::fp32, Precision::fp16, Precision::bf16,
                                    Precision::int8, Precision::int4};

}  // namespace

std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return "fp32";
    case Precision::fp16:
      return "fp16";
    case Precision::bf16:
      return "bf16";
    case Precision::int8:
      return "int8";
    case Precision::int4:
      return "int4";
  }
  return "?";
}

Precision precision_from_name(std::string_view name) {
  return choice_from_name(kPrecisions, name, "no such precision", "precision");
}

LayerPrecision layer_precision_from_text(std::string_view text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw Error(ErrorKind::invalid_argument, "not the precision of a layer",
                {.field = "layer",
                 .found = fmt::format("\"{}\"", text),
                 .expected = "PATTERN=PRECISION, such as lm_head=fp16"});
  }
  return {.pattern = std::string(text.substr(0, equals)),
          .precision = precision_from_name(text.substr(equals + 1))};
}

SparseStorage sparse_storage_from_name(std::string_view name) {
  if (name == "off") return SparseStorage::off;
  if (name == "auto") return SparseStorage::automatic;
  if (name == "small") return SparseStorage::smallest;
  throw Error(ErrorKind::invalid_argument, "no such way of storing zeros",
              {.field = "sparse",
               .found = "\"" + std::string(name) + "\"",
               .expected = "off, auto or small"});
}

}  // namespace kobolt
