#pragma once

#include <NvInfer.h>

namespace kobolt {

/// What Kobolt adds to the decoders' networks, and the names of it.
inline constexpr const char* kParents = "parents";          ///< int32 [R]
inline constexpr const char* kPosition = "cache_position";  ///< int64 [1]; export_onnx()'s own
inline constexpr const char* kBestValues = "best_values";   ///< float32 [R, 1, k]
inline constexpr const char* kBestTokens = "best_tokens";   ///< int32 [R, 1, k]
inline constexpr const char* kLogSum = "log_sum";           ///< float32 [R, 1, 1]
inline constexpr int kMostSelected = 32;  ///< k, or the vocabulary if that is less

/// Selection on the device: of each row of the output "logits" the largest, and the logarithm of
/// the sum of exponentials. Logits then need not leave it.
void add_selection(nvinfer1::INetworkDefinition& network);

/// Beams that change places: each row of this step goes on with the cache of the row of the step
/// before that the input `parents` names, instead of the one of its own number.
void add_reordering(nvinfer1::INetworkDefinition& network);

}  // namespace kobolt
