#pragma once

#include <cstdint>
#include <string_view>

#include "kobolt/compile.h"
#include "kobolt/export.h"

namespace kobolt {

/// Number format of the decoder's cached keys and values (self- and cross-attention).
enum class KvCache : std::uint8_t {
  /// fp32 for an fp32 engine, so that it repeats transformers; fp16 for fp16 and bf16; int8 for
  /// int8 and int4.
  automatic,
  fp32,
  fp16,
  int8,  ///< a scale for each key, value column and head
};
/// What `wanted` is for an engine of that precision; never automatic.
KOBOLT_API KvCache settled(KvCache wanted, Precision engine);
/// "auto", "fp32", "fp16", "int8".
KOBOLT_API std::string_view name_of(KvCache format);
/// Throws Error(invalid_argument) listing what exists.
KOBOLT_API KvCache kv_cache_from_name(std::string_view name);

}  // namespace kobolt
