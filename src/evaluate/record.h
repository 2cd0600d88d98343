#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/evaluate.h"

namespace kobolt {

/// What a field of a record holds, as far as a data set can use it.
struct FieldValue {
  enum class Kind { null, text, number, list, other };
  Kind kind = Kind::null;
  std::string text;               ///< of text and number
  std::vector<std::string> list;  ///< of list: all strings
  std::string what;               ///< of other: "an object", for the error message
};

/// A line of JSONL, an item of a JSON list or a row of CSV before it is known to be usable.
struct Record {
  std::string place;               ///< "line 12", "item 3"
  std::size_t number = 0;          ///< the same as a number from 1
  std::vector<std::string> names;  ///< the first fields of the record, to be listed in an error
  std::size_t unlisted = 0;        ///< further fields
  std::map<std::string, FieldValue, std::less<>> values;  ///< of the fields that options name

  void add_name(std::string_view name);
};

/// Whether `options` give the field a role.
bool is_wanted(std::string_view field, const DatasetOptions& options);

/// The record as an example. Throws Error(corrupt) naming `file`, the place and the field.
Example to_example(Record&& record, const std::string& file, const DatasetOptions& options);

}  // namespace kobolt
