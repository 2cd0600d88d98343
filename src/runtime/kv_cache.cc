#include "kobolt/kv_cache.h"

#include <array>

#include "base/choice.h"

namespace kobolt {
namespace {

constexpr std::array kFormats = {KvCache::automatic, KvCache::fp32, KvCache::fp16, KvCache::int8};

}  // namespace

KvCache settled(KvCache wanted, Precision engine) {
  if (wanted != KvCache::automatic) return wanted;
  switch (engine) {
    case Precision::fp32:
      return KvCache::fp32;
    case Precision::fp16:
    case Precision::bf16:
      return KvCache::fp16;
    case Precision::int8:
    case Precision::int4:
      break;
  }
  return KvCache::int8;
}

std::string_view name_of(KvCache format) {
  switch (format) {
    case KvCache::automatic:
      return "auto";
    case KvCache::fp32:
      return "fp32";
    case KvCache::fp16:
      return "fp16";
    case KvCache::int8:
      return "int8";
  }
  return "?";
}

KvCache kv_cache_from_name(std::string_view name) {
  return choice_from_name(kFormats, name, "no such format of the KV cache", "kv_cache");
}

}  // namespace kobolt
