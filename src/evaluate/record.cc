#include "evaluate/record.h"

#include <fmt/format.h>

#include <utility>

#include "evaluate/text_repair.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

constexpr std::size_t kListedNames = 20;

std::string listed(const Record& record) {
  if (record.names.empty()) return "no fields";
  std::string text = "the fields ";
  for (std::size_t i = 0; i < record.names.size(); ++i) {
    if (i > 0) text += ", ";
    text += '\'' + excerpt(record.names[i], 40) + '\'';
  }
  if (record.unlisted > 0) text += fmt::format(" and {} more", record.unlisted);
  return text;
}

std::string described(const FieldValue& value) {
  switch (value.kind) {
    case FieldValue::Kind::null:
      return "null";
    case FieldValue::Kind::text:
      return "a string";
    case FieldValue::Kind::number:
      return "a number";
    case FieldValue::Kind::list:
      return value.list.empty() ? "an empty list" : "a list";
    case FieldValue::Kind::other:
      return value.what;
  }
  return {};
}

[[noreturn]] void missing(const Record& record, const std::string& file, const std::string& field,
                          const char* flag) {
  throw Error(ErrorKind::corrupt, fmt::format("the field '{}' is missing", field),
              {.file = file,
               .field = record.place,
               .found = listed(record),
               .hint = fmt::format("name the right one with {}", flag)});
}

[[noreturn]] void wrong(const Record& record, const std::string& file, const std::string& field,
                        const FieldValue& value, const char* expected) {
  throw Error(
      ErrorKind::corrupt, fmt::format("the field '{}' cannot be used", field),
      {.file = file, .field = record.place, .found = described(value), .expected = expected});
}

// The value under that name; nullptr where it is absent or null.
FieldValue* find(Record& record, const std::string& name) {
  const auto place = record.values.find(name);
  if (place == record.values.end() || place->second.kind == FieldValue::Kind::null) return nullptr;
  return &place->second;
}

}  // namespace

void Record::add_name(std::string_view name) {
  if (names.size() < kListedNames) {
    names.emplace_back(name);
  } else {
    ++unlisted;
  }
}

bool is_wanted(std::string_view field, const DatasetOptions& options) {
  return field == options.document_field || field == options.summary_field ||
         field == options.id_field;
}

Example to_example(Record&& record, const std::string& file, const DatasetOptions& options) {
  using Kind = FieldValue::Kind;
  Example example;
  if (const FieldValue* value = find(record, options.document_field)) {
    if (value->kind != Kind::text) {
      wrong(record, file, options.document_field, *value, "a string");
    }
    example.document = value->text;
  } else if (options.need_document) {
    missing(record, file, options.document_field, "--document-field");
  }
  if (FieldValue* value = find(record, options.summary_field)) {
    if (value->kind == Kind::text) {
      example.references.push_back(std::move(value->text));
    } else if (value->kind == Kind::list && !(value->list.empty() && options.need_references)) {
      example.references = std::move(value->list);
    } else {
      wrong(record, file, options.summary_field, *value, "a string or a list of strings");
    }
  } else if (options.need_references) {
    missing(record, file, options.summary_field, "--summary-field");
  }
  if (FieldValue* value = find(record, options.id_field)) {
    if (value->kind != Kind::text && value->kind != Kind::number) {
      wrong(record, file, options.id_field, *value, "a string or a number");
    }
    example.id = std::move(value->text);
  } else {
    example.id = std::to_string(record.number);
    example.numbered = true;
  }
  return example;
}

}  // namespace kobolt
