#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tokenizer/json_field.h"
#include "tokenizer/pretokenizer.h"

namespace kobolt::text {

/// Settings that the Metaspace pre-tokeniser and decoder share.
struct MetaspaceSettings {
  enum class Prepend : std::uint8_t { always, first, never };
  std::string replacement;  ///< stands for a space; one character, usually U+2581
  Prepend prepend = Prepend::always;
  bool split = true;

  explicit MetaspaceSettings(const JsonField& field);
};

std::unique_ptr<PreTokenizer> load_metaspace(const JsonField& field);

}  // namespace kobolt::text
