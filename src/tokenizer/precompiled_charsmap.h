#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/json_field.h"
#include "tokenizer/normalizer.h"

namespace kobolt::text {

/// SentencePiece's table of replacements, as its models carry it: the size of a trie in bytes, the
/// trie (Darts double array, 32-bit units, little-endian), then the replacements, each ended by a
/// zero byte. Searched as Hugging Face does, which is not what SentencePiece does: the shortest
/// key that a grapheme or character begins with replaces it whole.
class PrecompiledCharsmap final : public Normalizer {
 public:
  /// `blob` as in SentencePiece's NormalizerSpec. Throws Error(corrupt) about `where`.
  PrecompiledCharsmap(std::string_view blob, const JsonField& where);

  void apply(NormalizedText& text) const override;

 private:
  [[nodiscard]] std::optional<std::string_view> replacement_of(std::string_view part) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

std::unique_ptr<Normalizer> load_precompiled_charsmap(const JsonField& field);

}  // namespace kobolt::text
