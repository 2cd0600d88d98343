#include "tokenizer/json_field.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "tokenizer/unicode.h"

namespace kobolt::text {

nlohmann::json parse_json(std::string_view bytes, const std::string& file) {
  try {
    return nlohmann::json::parse(bytes.begin(), bytes.end());
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::corrupt, "is not valid JSON", {.file = file, .found = error.what()});
  }
}

JsonField::JsonField(const nlohmann::json& value, std::string file, std::string path)
    : value_(&value), file_(std::move(file)), path_(std::move(path)) {}

JsonField JsonField::at(std::string_view key) const {
  const nlohmann::json& members = object();
  const auto found = members.find(std::string(key));
  std::string path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  if (found == members.end()) {
    throw Error(ErrorKind::corrupt, "is missing", {.file = file_, .field = std::move(path)});
  }
  return {*found, file_, std::move(path)};
}

std::optional<JsonField> JsonField::find(std::string_view key) const {
  const nlohmann::json& members = object();
  const auto found = members.find(std::string(key));
  if (found == members.end() || found->is_null()) return std::nullopt;
  return at(key);
}

JsonField JsonField::element(std::size_t index) const {
  return {array().at(index), file_, path_ + "[" + std::to_string(index) + "]"};
}

const std::string& JsonField::string() const {
  if (!value_->is_string()) fail(ErrorKind::corrupt, "has the wrong type", "a string");
  return value_->get_ref<const std::string&>();
}

bool JsonField::boolean() const {
  if (!value_->is_boolean()) fail(ErrorKind::corrupt, "has the wrong type", "true or false");
  return value_->get<bool>();
}

double JsonField::number() const {
  if (!value_->is_number()) fail(ErrorKind::corrupt, "has the wrong type", "a number");
  return value_->get<double>();
}

std::int64_t JsonField::integer(std::int64_t low, std::int64_t high) const {
  const auto complain = [&] {
    fail(ErrorKind::corrupt, "is out of range or no whole number",
         "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  };
  if (!value_->is_number_integer()) complain();
  if (value_->is_number_unsigned() &&
      value_->get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    complain();
  }
  const auto result = value_->get<std::int64_t>();
  if (result < low || result > high) complain();
  return result;
}

const nlohmann::json& JsonField::array() const {
  if (!value_->is_array()) fail(ErrorKind::corrupt, "has the wrong type", "a list");
  return *value_;
}

const nlohmann::json& JsonField::object() const {
  if (!value_->is_object()) fail(ErrorKind::corrupt, "has the wrong type", "an object");
  return *value_;
}

std::int32_t JsonField::token_id() const {
  return static_cast<std::int32_t>(integer(0, std::numeric_limits<std::int32_t>::max() - 1));
}

char32_t JsonField::character() const {
  const std::string& value = string();
  if (value.empty() || decode_at(value, 0).length != value.size()) {
    fail(ErrorKind::corrupt, "has the wrong length", "one character");
  }
  return decode_at(value, 0).value;
}

bool JsonField::flag(std::string_view key, bool otherwise) const {
  const auto field = find(key);
  return field ? field->boolean() : otherwise;
}

std::string JsonField::text(std::string_view key, const std::string& otherwise) const {
  const auto field = find(key);
  return field ? field->string() : otherwise;
}

std::string JsonField::shown() const {
  if (value_->is_array()) return "a list of " + std::to_string(value_->size());
  if (value_->is_object()) return "an object";
  constexpr std::size_t longest = 60;
  std::string result = value_->dump(-1, ' ', true);  // ASCII, so that it may be cut anywhere
  if (result.size() > longest) result = result.substr(0, longest) + "...";
  return result;
}

void JsonField::fail(ErrorKind kind, const std::string& message, std::string expected) const {
  throw Error(kind, message,
              {.file = file_, .field = path_, .found = shown(), .expected = std::move(expected)});
}

void JsonField::check_depth() const {
  constexpr auto deepest = 32;  // real files nest one Sequence in another at most
  if (std::count(path_.begin(), path_.end(), '[') > deepest) {
    throw Error(ErrorKind::corrupt, "is nested too deeply", {.file = file_, .field = path_});
  }
}

}  // namespace kobolt::text
