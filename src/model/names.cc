#include "kobolt/model.h"

namespace kobolt {

std::string_view name_of(Family family) {
  switch (family) {
    case Family::bart:
      return "bart";
    case Family::mbart:
      return "mbart";
    case Family::marian:
      return "marian";
    case Family::pegasus:
      return "pegasus";
  }
  return "?";
}

std::string_view name_of(Activation activation) {
  switch (activation) {
    case Activation::none:
      return "none";
    case Activation::gelu:
      return "gelu";
    case Activation::gelu_new:
      return "gelu_new";
    case Activation::relu:
      return "relu";
    case Activation::silu:
      return "silu";
    case Activation::tanh:
      return "tanh";
  }
  return "?";
}

}  // namespace kobolt
