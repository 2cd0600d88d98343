#include "tensorrt/profile_shapes.h"

#include <algorithm>
#include <array>
#include <string>

#include "kobolt/error.h"
#include "tensorrt/network.h"

namespace kobolt {
namespace {

struct Axis {
  int least = 1;
  int best = 1;
  int most = 1;
};

constexpr int kMostAxes = 4;

struct Axes {
  Axis documents, rows, tokens, past;

  explicit Axes(const TensorRTProfile& profile)
      : documents{profile.min_batch, profile.batch, profile.max_batch},
        // Rows come and go while documents are decoded, whatever an encoder call is fixed to.
        rows{1, profile.batch, profile.max_batch},
        tokens{profile.min_sequence, profile.sequence, profile.max_sequence},
        past{1, std::max(1, profile.max_positions / 8), profile.max_positions} {}
};

/// What each axis of an input means; those of heads and widths are fixed by the network.
std::array<Axis, kMostAxes> axes_of(std::string_view graph, std::string_view name,
                                    const Axes& axes) {
  const bool encoder = graph == "encoder";
  if (name == "input_ids" && !encoder) return {axes.rows, Axis{}};
  if (name == "input_ids" || name == "attention_mask") return {axes.documents, axes.tokens};
  if (name == "encoder_attention_mask") return {axes.rows, axes.tokens};
  if (name == "encoder_hidden_states") return {axes.rows, axes.tokens, Axis{}};
  if (name == kParents) return {axes.rows};
  if (name == kPosition) return {Axis{}};
  const bool decoder_cache = name.find(".decoder.") != name.npos;
  if (name.starts_with("past_key_values.")) {
    return {axes.rows, Axis{}, decoder_cache ? axes.past : axes.tokens, Axis{}};
  }
  throw Error(ErrorKind::corrupt, "the ONNX graph has an input that nobody knows",
              {.field = std::string(name), .expected = "what export_onnx() writes"});
}

}  // namespace

InputShapes input_shapes(std::string_view graph, std::string_view name,
                         const nvinfer1::Dims& network, const TensorRTProfile& profile) {
  const auto axes = axes_of(graph, name, Axes(profile));
  InputShapes shapes{network, network, network};
  for (int i = 0; i < std::min(network.nbDims, kMostAxes); ++i) {
    if (network.d[i] >= 0) continue;
    const Axis& axis = axes[static_cast<std::size_t>(i)];
    shapes.least.d[i] = axis.least;
    shapes.best.d[i] = axis.best;
    shapes.most.d[i] = axis.most;
  }
  return shapes;
}

}  // namespace kobolt
