#pragma once

#include <string>

#include "export/onnx/layers.h"

namespace kobolt::onnx {

/// Keys and values of a layer, [b, heads, t, head_dim].
struct KeysAndValues {
  Value keys;
  Value values;
};

/// One attention of a layer, without its residual and norm.
class AttentionNodes {
 public:
  /// `type` is that of keys, values and products with them: f32 or f16. `module` is as in
  /// "decoder.layers.0.encoder_attn".
  AttentionNodes(const Layers& layers, std::string module, int heads, int head_dim,
                 ElementType type);

  /// Of the tokens x [b, t, d].
  [[nodiscard]] KeysAndValues project(const Value& x) const;
  /// x [b, t, d] looks at keys and values; `mask` [b or 1, 1, t or 1, keys] is added to the scores.
  /// Returns [b, t, d].
  [[nodiscard]] Value attend(const Value& x, const KeysAndValues& memory, const Value& mask) const;

 private:
  /// [b, t, heads * head_dim] to [b, heads, t, head_dim], of `type`.
  [[nodiscard]] Value heads_apart(const Value& x) const;

  const Layers& layers_;
  std::string module_;
  int heads_;
  int head_dim_;
  ElementType type_;
};

}  // namespace kobolt::onnx
