#include "tokenizer/folder_settings.h"

#include <charconv>
#include <limits>

namespace kobolt::text {
namespace {

constexpr const char* config_file = "tokenizer_config.json";
constexpr const char* map_file = "special_tokens_map.json";
constexpr const char* added_file = "added_tokens.json";

void read(const TokenizerFiles& files, const char* name, nlohmann::json& into) {
  const auto file = files.find(name);
  if (file == files.end()) return;
  into = parse_json(file->second, name);
  static_cast<void>(JsonField(into, name).object());
}

}  // namespace

AddedToken load_added_token(const JsonField& field, bool special) {
  if (field.json().is_string()) {
    return {.content = field.string(), .normalized = !special, .special = special};
  }
  special = field.flag("special", special);
  return {.content = field.at("content").string(),
          .single_word = field.flag("single_word", false),
          .lstrip = field.flag("lstrip", false),
          .rstrip = field.flag("rstrip", false),
          .normalized = field.flag("normalized", !special),
          .special = special};
}

FolderSettings::FolderSettings(const TokenizerFiles& files) {
  read(files, config_file, config_);
  read(files, map_file, map_);
  read(files, added_file, added_);
}

std::optional<JsonField> FolderSettings::config(std::string_view key) const {
  return JsonField(config_, config_file).find(key);
}

AddedToken FolderSettings::special(const std::string& role, AddedToken otherwise) const {
  const bool lstrip = otherwise.lstrip;
  for (const auto& field : {JsonField(config_, config_file), JsonField(map_, map_file)}) {
    const auto value = field.find(role);
    if (!value) continue;
    AddedToken token = load_added_token(*value, true);
    // A bare string leaves the other properties as the tokenizer's class has them.
    if (value->json().is_string()) token.lstrip = lstrip;
    token.special = true;
    return token;
  }
  otherwise.special = true;
  otherwise.normalized = false;
  return otherwise;
}

std::vector<AddedToken> FolderSettings::additional() const {
  std::vector<AddedToken> tokens;
  for (const auto& field : {JsonField(config_, config_file), JsonField(map_, map_file)}) {
    for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
      const auto list = field.find(key);
      if (!list || !list->json().is_array()) continue;
      for (std::size_t i = 0; i < list->array().size(); ++i) {
        tokens.push_back(load_added_token(list->element(i), true));
        tokens.back().special = true;
      }
    }
  }
  return tokens;
}

std::vector<std::pair<AddedToken, std::int32_t>> FolderSettings::with_ids() const {
  std::vector<std::pair<AddedToken, std::int32_t>> tokens;
  for (const auto& [content, id] : added_.items()) {
    const JsonField field(id, added_file, content);
    tokens.push_back({AddedToken{.content = content}, field.token_id()});
  }
  if (const auto decoder = config("added_tokens_decoder")) {
    for (const auto& [key, value] : decoder->object().items()) {
      const JsonField field(value, config_file, "added_tokens_decoder." + key);
      std::int32_t id = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
      if (error != std::errc() || end != key.data() + key.size() || id < 0 ||
          id == std::numeric_limits<std::int32_t>::max()) {
        field.fail(ErrorKind::corrupt, "has no id for a name");
      }
      tokens.emplace_back(load_added_token(field, false), id);
    }
  }
  return tokens;
}

}  // namespace kobolt::text
