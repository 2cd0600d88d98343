#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "kobolt/error.h"

namespace kobolt {

/// Parses the JSON object in `text`. Throws Error(corrupt) naming `file` for anything that is not
/// one object, nests deeper than these files ever do, or repeats a top-level key.
nlohmann::json parse_json_object(std::string_view text, const std::string& file);

/// Typed access to the fields of one JSON object. A missing field and a null are the same: the
/// fallback. A value of another type, or outside the bounds, is an Error that names file and field.
class JsonFields {
 public:
  /// Both must outlive this object.
  JsonFields(const nlohmann::json& object, const std::string& file)
      : object_(object), file_(file) {}

  /// The value, or null where the field is missing or null.
  [[nodiscard]] const nlohmann::json* find(const char* key) const;

  [[nodiscard]] std::int64_t integer(const char* key, std::int64_t fallback, std::int64_t low,
                                     std::int64_t high) const;
  [[nodiscard]] std::optional<std::int64_t> integer(const char* key, std::int64_t low,
                                                    std::int64_t high) const;
  [[nodiscard]] bool boolean(const char* key, bool fallback) const;
  [[nodiscard]] double number(const char* key, double fallback) const;
  [[nodiscard]] std::string text(const char* key, const char* fallback) const;

  /// Throws: `key` holds `found`, but `expected` was needed.
  [[noreturn]] void fail(const char* key, const nlohmann::json& found, const std::string& expected,
                         ErrorKind kind = ErrorKind::corrupt) const;
  [[nodiscard]] const std::string& file() const noexcept { return file_; }

 private:
  const nlohmann::json& object_;
  const std::string& file_;
};

}  // namespace kobolt
