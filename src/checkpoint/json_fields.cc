#include "checkpoint/json_fields.h"

#include <cmath>
#include <set>

namespace kobolt {
namespace {

using nlohmann::json;

// Real files nest three or four levels.
constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxQuoted = 80;

std::string quoted(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kMaxQuoted) text = text.substr(0, kMaxQuoted) + "...";
  return text;
}

}  // namespace

json parse_json_object(std::string_view text, const std::string& file) {
  std::set<std::string> keys;
  const auto check = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > kMaxDepth) {
      throw Error(ErrorKind::corrupt, "nested too deeply",
                  {.file = file, .expected = "at most " + std::to_string(kMaxDepth) + " levels"});
    }
    if (event == json::parse_event_t::key && depth == 1 &&
        !keys.insert(value.get<std::string>()).second) {
      throw Error(ErrorKind::corrupt, "the key appears twice",
                  {.file = file, .field = value.get<std::string>()});
    }
    return true;
  };
  json parsed;
  try {
    parsed = json::parse(text, check);
  } catch (const json::exception& error) {
    throw Error(ErrorKind::corrupt, std::string("not valid JSON: ") + error.what(), {.file = file});
  }
  if (!parsed.is_object()) {
    throw Error(ErrorKind::corrupt, "not a JSON object",
                {.file = file, .found = parsed.type_name(), .expected = "object"});
  }
  return parsed;
}

const json* JsonFields::find(const char* key) const {
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::int64_t> JsonFields::integer(const char* key, std::int64_t low,
                                                std::int64_t high) const {
  const json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number_integer() &&
                    (!value->is_number_unsigned() || value->get<std::uint64_t>() <= INT64_MAX);
  if (!fits || value->get<std::int64_t>() < low || value->get<std::int64_t>() > high) {
    fail(key, *value, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return value->get<std::int64_t>();
}

std::int64_t JsonFields::integer(const char* key, std::int64_t fallback, std::int64_t low,
                                 std::int64_t high) const {
  return integer(key, low, high).value_or(fallback);
}

bool JsonFields::boolean(const char* key, bool fallback) const {
  const json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) fail(key, *value, "true or false");
  return value->get<bool>();
}

double JsonFields::number(const char* key, double fallback) const {
  const json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number() || !std::isfinite(value->get<double>())) fail(key, *value, "a number");
  return value->get<double>();
}

std::string JsonFields::text(const char* key, const char* fallback) const {
  const json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) fail(key, *value, "a string");
  return value->get<std::string>();
}

void JsonFields::fail(const char* key, const json& found, const std::string& expected,
                      ErrorKind kind) const {
  throw Error(kind, "unexpected value",
              {.file = file_, .field = key, .found = quoted(found), .expected = expected});
}

}  // namespace kobolt
