#pragma once

namespace kobolt {

// The four matrices that a checkpoint may store once or several times, under the names of
// transformers.
inline constexpr const char* kSharedEmbedding = "model.shared.weight";
inline constexpr const char* kEncoderEmbedding = "model.encoder.embed_tokens.weight";
inline constexpr const char* kDecoderEmbedding = "model.decoder.embed_tokens.weight";
inline constexpr const char* kOutputProjection = "lm_head.weight";

}  // namespace kobolt
