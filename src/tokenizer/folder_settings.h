#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kobolt/model.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/json_field.h"

namespace kobolt::text {

/// What the small files beside a vocabulary say: tokenizer_config.json, special_tokens_map.json,
/// added_tokens.json. Any of them may be missing.
class FolderSettings {
 public:
  explicit FolderSettings(const TokenizerFiles& files);

  /// A member of tokenizer_config.json.
  [[nodiscard]] std::optional<JsonField> config(std::string_view key) const;
  /// The special token that plays `role` ("eos_token"); `otherwise` where nothing is said.
  [[nodiscard]] AddedToken special(const std::string& role, AddedToken otherwise) const;
  /// `additional_special_tokens`.
  [[nodiscard]] std::vector<AddedToken> additional() const;
  /// Tokens that come with their ids: added_tokens.json and `added_tokens_decoder`.
  [[nodiscard]] std::vector<std::pair<AddedToken, std::int32_t>> with_ids() const;

 private:
  nlohmann::json config_ = nlohmann::json::object();
  nlohmann::json map_ = nlohmann::json::object();
  nlohmann::json added_ = nlohmann::json::object();
};

/// Reads `{"content": ..., "lstrip": ...}`, or a bare string.
AddedToken load_added_token(const JsonField& field, bool special);

}  // namespace kobolt::text
