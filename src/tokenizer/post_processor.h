#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenizer/json_field.h"

namespace kobolt::text {

/// Puts special tokens around the ids of a text: what post-processors come to for one sequence.
class PostProcessor {
 public:
  PostProcessor() = default;
  /// Throws Error(unsupported) naming a type that Kobolt does not know.
  explicit PostProcessor(const JsonField& field);
  PostProcessor(std::vector<std::int32_t> before, std::vector<std::int32_t> after);

  /// Special tokens that process() adds; they count against a length limit.
  [[nodiscard]] std::size_t added() const;
  void process(std::vector<std::int32_t>& ids, bool add_special_tokens) const;

 private:
  /// One template: special tokens and places for the text, in order. Several run one after the
  /// other, each on the outcome of the one before.
  struct Part {
    bool is_text;
    std::vector<std::int32_t> special;
  };
  using Template = std::vector<Part>;

  void load(const JsonField& field);
  void load_template(const JsonField& field);

  std::vector<Template> templates_;
};

}  // namespace kobolt::text
