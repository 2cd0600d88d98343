#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tokenizer/growth.h"
#include "tokenizer/json_field.h"

namespace kobolt::text {

/// A text on its way through the normalisers: a view of the caller's bytes for as long as nothing
/// changes, which is the usual case.
class NormalizedText {
 public:
  explicit NormalizedText(std::string_view text) : text_(text), original_size_(text.size()) {}
  NormalizedText(const NormalizedText&) = delete;
  NormalizedText& operator=(const NormalizedText&) = delete;
  ~NormalizedText() = default;

  [[nodiscard]] std::string_view view() const { return text_; }
  void replace(std::string&& text) {
    check_growth(original_size_, text.size());
    storage_ = std::move(text);
    text_ = storage_;
  }
  /// Keeps only a part of view().
  void narrow(std::string_view part) { text_ = part; }

  /// Whether the text still begins with what the original began with. Metaspace's "first" asks.
  [[nodiscard]] bool keeps_start() const { return keeps_start_; }
  void lose_start() { keeps_start_ = false; }

 private:
  std::string storage_;
  std::string_view text_;
  std::size_t original_size_;
  bool keeps_start_ = true;
};

/// Changes a text before it is cut. Thread-safe.
class Normalizer {
 public:
  Normalizer() = default;
  Normalizer(const Normalizer&) = delete;
  Normalizer& operator=(const Normalizer&) = delete;
  virtual ~Normalizer() = default;
  virtual void apply(NormalizedText& text) const = 0;
};

/// The normaliser that a tokenizer.json describes; nullptr where it does nothing.
/// Throws Error(unsupported) naming a type that Kobolt does not know.
std::unique_ptr<Normalizer> load_normalizer(const JsonField& field);

}  // namespace kobolt::text
