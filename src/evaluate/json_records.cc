#include "evaluate/json_records.h"

#include <fmt/format.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

#include "evaluate/record.h"
#include "evaluate/text_repair.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

using Json = nlohmann::json;
using Kind = FieldValue::Kind;

// Data sets are flat. Deeper nesting is hostile or a mistake, and code that recurses over such a
// value would overflow the stack.
constexpr std::size_t kDeepest = 64;

// Takes the wanted fields out of the parser's events, so that nothing else is ever stored.
class RecordHandler final : public nlohmann::json_sax<Json> {
 public:
  // `record_depth` is the depth inside a record's braces: 1 on a line, 2 in a list. `number` is
  // that of the line; items of a list are counted here.
  RecordHandler(std::string_view text, const std::string& file, const DatasetOptions& options,
                std::size_t record_depth, std::size_t number, std::vector<Example>& examples)
      : text_(text),
        file_(file),
        options_(options),
        record_depth_(record_depth),
        number_(number),
        examples_(examples) {}

  bool null() override { return scalar(Kind::null, {}, "null"); }
  bool boolean(bool) override { return scalar(Kind::other, {}, "a boolean"); }
  bool number_integer(number_integer_t value) override {
    return scalar(Kind::number, std::to_string(value), "a number");
  }
  bool number_unsigned(number_unsigned_t value) override {
    return scalar(Kind::number, std::to_string(value), "a number");
  }
  // Integers beyond 64 bits arrive here too: their own digits make the id.
  bool number_float(number_float_t, const string_t& digits) override {
    return scalar(Kind::number, digits, "a number");
  }
  bool string(string_t& value) override { return scalar(Kind::text, std::move(value), "a string"); }
  bool binary(binary_t&) override { return scalar(Kind::other, {}, "binary data"); }

  bool start_object(std::size_t) override {
    if (depth_ + 1 == record_depth_) {
      record_ = Record();
      if (is_list()) ++number_;
      record_.number = number_;
      record_.place = place();
      target_ = nullptr;
    } else if (depth_ < record_depth_) {
      wrong_type("an object");
    } else {
      nested("an object");
    }
    return enter();
  }
  bool key(string_t& name) override {
    if (depth_ != record_depth_) return true;
    record_.add_name(name);
    target_ = is_wanted(name, options_) ? &record_.values[name] : nullptr;
    return true;
  }
  bool end_object() override {
    if (--depth_ + 1 == record_depth_) {
      examples_.push_back(to_example(std::move(record_), file_, options_));
    }
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ < record_depth_) {
      if (!is_list() || depth_ > 0) wrong_type("a list");
    } else if (depth_ == record_depth_) {
      if (target_ != nullptr) *target_ = {.kind = Kind::list};
    } else {
      nested("a list");
    }
    return enter();
  }
  bool end_array() override {
    --depth_;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // "[json.exception...] parse error at line L, column C: REASON; last read: 'TEXT'". Lines are
    // counted anew in every record, so the place is ours and only the reason is kept.
    std::string reason = error.what();
    if (const auto colon = reason.find(": "); colon != std::string::npos)
      reason.erase(0, colon + 2);
    if (const auto read = reason.rfind("; last read"); read != std::string::npos)
      reason.erase(read);
    const std::size_t start = std::min(position > 0 ? position - 1 : 0, text_.size());
    const std::size_t from = start > 20 ? start - 20 : 0;
    throw Error(ErrorKind::corrupt, fmt::format("not valid JSON: {}", excerpt(reason, 160)),
                {.file = file_,
                 .field = is_list() ? fmt::format("after item {}", number_) : place(),
                 .found = start == text_.size() ? fmt::format("its end after {} bytes", start)
                                                : near(from, start),
                 .hint = hint()});
  }

 private:
  [[nodiscard]] bool is_list() const { return record_depth_ == 2; }
  [[nodiscard]] std::string place() const {
    return fmt::format("{} {}", is_list() ? "item" : "line", number_);
  }
  [[nodiscard]] std::string hint() const {
    return is_list()
               ? "a .json file is a list of objects or one object a line"
               : "a .jsonl file has one JSON object a line; a list of objects is a .json file";
  }
  // The text around a mistake, from a whole character on.
  [[nodiscard]] std::string near(std::size_t from, std::size_t at) const {
    while (from < at && (static_cast<unsigned char>(text_[from]) & 0xC0U) == 0x80U) ++from;
    return fmt::format("'{}' at byte {}", excerpt(text_.substr(from), 60), at + 1);
  }

  bool enter() {
    if (++depth_ > kDeepest) {
      throw Error(ErrorKind::corrupt, "the JSON is nested too deeply",
                  {.file = file_,
                   .field = place(),
                   .expected = fmt::format("at most {} levels", kDeepest)});
    }
    return true;
  }

  bool scalar(Kind kind, std::string text, const char* what) {
    if (depth_ < record_depth_) wrong_type(what);
    if (target_ == nullptr) return true;
    if (depth_ == record_depth_) {
      *target_ = {.kind = kind, .text = std::move(text), .what = what};
    } else if (kind == Kind::text && target_->kind == Kind::list) {
      target_->list.push_back(std::move(text));
    } else {
      nested(what);
    }
    return true;
  }

  // Something that is not a string, inside the value of a field.
  void nested(const char* what) {
    if (target_ == nullptr) return;
    if (depth_ == record_depth_) {
      *target_ = {.kind = Kind::other, .what = what};
    } else if (target_->kind == Kind::list) {
      *target_ = {.kind = Kind::other, .what = std::string("a list that holds ") + what};
    }
  }

  [[noreturn]] void wrong_type(const char* what) {
    const bool inside = is_list() && depth_ == 1;
    if (inside) ++number_;
    const bool whole = is_list() && !inside;
    throw Error(ErrorKind::corrupt, "not a record",
                {.file = file_,
                 .field = whole ? std::string() : place(),
                 .found = what,
                 .expected = whole ? "a list of objects" : "an object",
                 .hint = hint()});
  }

  std::string_view text_;
  const std::string& file_;
  const DatasetOptions& options_;
  std::size_t record_depth_;
  std::size_t number_;
  std::vector<Example>& examples_;
  std::size_t depth_ = 0;
  Record record_;
  FieldValue* target_ = nullptr;  // of the current key; nullptr where nobody wants it
};

void parse(std::string_view text, const std::string& file, const DatasetOptions& options,
           std::size_t record_depth, std::size_t number, std::vector<Example>& examples) {
  std::string utf8;
  std::string escapes;
  text = repaired_surrogates(repaired_utf8(text, utf8), escapes);
  RecordHandler handler(text, file, options, record_depth, number, examples);
  Json::sax_parse(text.begin(), text.end(), &handler);
}

}  // namespace

std::vector<Example> read_json_lines(std::string_view bytes, const std::string& file,
                                     const DatasetOptions& options) {
  std::vector<Example> examples;
  std::size_t number = 0;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    parse(line, file, options, 1, number, examples);
  }
  return examples;
}

std::vector<Example> read_json_list(std::string_view bytes, const std::string& file,
                                    const DatasetOptions& options) {
  std::vector<Example> examples;
  parse(bytes, file, options, 2, 0, examples);
  return examples;
}

}  // namespace kobolt
