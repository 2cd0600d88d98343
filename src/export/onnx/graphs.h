#pragma once

#include <string>

#include "export/onnx/graph.h"
#include "export/onnx/matrix_plan.h"
#include "kobolt/model.h"

/// The three graphs of an encoder-decoder, with the inputs and outputs that optimum expects
/// (docs/onnx.md).
namespace kobolt::onnx {

/// What all three share.
struct GraphPlan {
  const Model& model;
  const MatrixPlan& matrices;
  Dimension batch;           ///< b: documents, or beams of documents
  Dimension source;          ///< s: tokens of a document
  bool fixed_cache = false;  ///< as in OnnxOptions
};

/// Documents to what the decoder looks at.
void add_encoder(const GraphPlan& plan, Graph& graph);

enum class DecoderStep : std::uint8_t {
  first,  ///< projects keys and values of the documents
  later,  ///< takes them, and those of the tokens before, as inputs
};
/// Tokens to logits of what follows them.
void add_decoder(const GraphPlan& plan, DecoderStep step, Graph& graph);

}  // namespace kobolt::onnx
