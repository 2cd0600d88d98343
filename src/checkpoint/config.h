#pragma once

#include <string>
#include <string_view>

#include "kobolt/model.h"

namespace kobolt {

/// The model that config.json describes, read as transformers 5 does: missing fields take the
/// family's defaults, `hidden_size`, `num_hidden_layers` and `num_attention_heads` stand for
/// `d_model`, `encoder_layers` and `encoder_attention_heads` and win over them. Whether embeddings
/// are really tied is only known from the weights: tied_output and shared_embedding are what the
/// file claims. Throws Error naming `file` and field; unsupported for another model_type.
ModelConfig parse_model_config(std::string_view text, const std::string& file);

}  // namespace kobolt
