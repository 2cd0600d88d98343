#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "kobolt/error.h"

namespace kobolt::text {

/// Parses a JSON file. Throws Error(corrupt) with the file and the position.
nlohmann::json parse_json(std::string_view bytes, const std::string& file);

/// A value inside a JSON file that knows where it stands, so that every complaint names file,
/// field, what was found and what was expected. Borrows the document.
class JsonField {
 public:
  JsonField(const nlohmann::json& value, std::string file, std::string path = {});

  /// The member `key`. Throws Error(corrupt) where it is missing.
  [[nodiscard]] JsonField at(std::string_view key) const;
  /// The member `key` unless it is missing or null.
  [[nodiscard]] std::optional<JsonField> find(std::string_view key) const;
  /// The element `index` of an array. The index must exist.
  [[nodiscard]] JsonField element(std::size_t index) const;

  // The value as a type; throws Error(corrupt) where it is another.
  [[nodiscard]] const std::string& string() const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] double number() const;
  [[nodiscard]] std::int64_t integer(std::int64_t low, std::int64_t high) const;
  [[nodiscard]] const nlohmann::json& array() const;
  [[nodiscard]] const nlohmann::json& object() const;
  [[nodiscard]] std::int32_t token_id() const;
  /// The one code point of a string.
  [[nodiscard]] char32_t character() const;

  [[nodiscard]] bool flag(std::string_view key, bool otherwise) const;
  [[nodiscard]] std::string text(std::string_view key, const std::string& otherwise) const;
  /// The member `type`.
  [[nodiscard]] const std::string& type() const { return at("type").string(); }

  [[nodiscard]] const nlohmann::json& json() const { return *value_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// The value as an error message shows it: short.
  [[nodiscard]] std::string shown() const;

  /// Throws Error(kind) about this field.
  [[noreturn]] void fail(ErrorKind kind, const std::string& message,
                         std::string expected = {}) const;
  /// Throws Error(corrupt) when components are nested deeper than any real file does.
  void check_depth() const;

 private:
  const nlohmann::json* value_;
  std::string file_;
  std::string path_;
};

}  // namespace kobolt::text
