#include "export/onnx/layers.h"

#include <cmath>
#include <span>
#include <vector>

#include "export/onnx/operators.h"
#include "export/onnx/stored_matrix.h"
#include "model/positions.h"

namespace kobolt::onnx {

Value Layers::input_of(const std::string& layer, OnnxPrecision precision, const Value& x) const {
  if (precision == OnnxPrecision::int8) {
    return rounded_input(graph_, x, plan_.input_scale(layer));
  }
  return cast(graph_, x, float_type(precision));
}

Value Layers::linear(const std::string& module, const Value& x) const {
  const Graph::Scope scope(graph_, module.substr(module.rfind('.') + 1));
  const OnnxPrecision precision = plan_.of(module);
  const ElementType type = float_type(precision);
  const std::string tensor = "model." + module;
  const Value factor = linear_factor(graph_, model_, tensor + ".weight", precision);
  const Value product = matmul(graph_, input_of(module, precision, x), factor);
  return add(graph_, product, stored_vector(graph_, model_, tensor + ".bias", type));
}

Value Layers::norm(const std::string& module, const Value& x) const {
  const Graph::Scope scope(graph_, module.substr(module.rfind('.') + 1));
  const std::string tensor = "model." + module;
  return layer_norm(graph_, x, stored_vector(graph_, model_, tensor + ".weight", ElementType::f32),
                    stored_vector(graph_, model_, tensor + ".bias", ElementType::f32),
                    config().layer_norm_epsilon);
}

std::string Layers::embedding_of(const std::string& side) const {
  return config().shared_embedding ? "shared" : side + ".embed_tokens";
}

Value Layers::position_rows(const std::string& side, const Value& positions) const {
  const std::string module = side + ".embed_positions";
  const std::string tensor = "model." + module + ".weight";
  if (model_.tensors.contains(tensor)) {
    Value rows = positions;
    if (config().positions == Positions::learned_offset2) {
      rows = add(graph_, rows, graph_.scalar(std::int64_t{2}));
    }
    return table_rows(graph_, model_, tensor, plan_.of(module), rows);
  }
  const Ints shape = {config().max_positions, config().d_model};
  const Value table = graph_.weight("sinusoidal_positions", ElementType::f32, shape, [&] {
    const std::vector<float> values =
        sinusoidal_positions(config().max_positions, config().d_model);
    return bytes_of(std::span<const float>(values));
  });
  return gather_rows(graph_, table, positions);
}

Value Layers::embed(const std::string& side, const Value& ids, const Value& positions) const {
  const Graph::Scope scope(graph_, "embedding");
  const std::string module = embedding_of(side);
  Value x = table_rows(graph_, model_, "model." + module + ".weight", plan_.of(module), ids);
  if (config().scale_embedding) {
    x = multiply(graph_, x, graph_.scalar(std::sqrt(static_cast<float>(config().d_model))));
  }
  x = add(graph_, x, position_rows(side, positions));
  return config().embedding_norm ? norm(side + ".layernorm_embedding", x) : x;
}

Value Layers::logits(const Value& x) const {
  const Graph::Scope scope(graph_, "lm_head");
  const std::string module = config().tied_output ? embedding_of("decoder") : "lm_head";
  const OnnxPrecision precision = plan_.of(module);
  const std::string tensor =
      config().tied_output ? "model." + module + ".weight" : "lm_head.weight";
  // Runtimes fuse a product with integers only where those are stored as MatMul takes them.
  const bool as_embedding = config().tied_output && !is_integer(precision);
  const Value factor = as_embedding ? table_factor(graph_, model_, tensor, precision)
                                    : linear_factor(graph_, model_, tensor, precision);
  const Value product = matmul(graph_, input_of("lm_head", precision, x), factor);
  Value logits = cast(graph_, product, ElementType::f32);
  const std::string bias = "final_logits_bias";
  if (!model_.tensors.contains(bias)) return logits;
  return add(graph_, logits, stored_vector(graph_, model_, bias, ElementType::f32));
}

}  // namespace kobolt::onnx
