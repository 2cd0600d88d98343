#include "kobolt/compile.h"
#include "kobolt/error.h"

namespace kobolt {

std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return "fp32";
    case Precision::int8:
      return "int8";
  }
  return "?";
}

Precision precision_from_name(std::string_view name) {
  for (const Precision precision : {Precision::fp32, Precision::int8}) {
    if (name == name_of(precision)) return precision;
  }
  throw Error(
      ErrorKind::invalid_argument, "no such precision",
      {.field = "precision", .found = '"' + std::string(name) + '"', .expected = "fp32 or int8"});
}

}  // namespace kobolt
