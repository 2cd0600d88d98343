// Arbitrary bytes as text, through small tokenizers that use every part of the pipeline between
// them; the first byte chooses.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/error.h"
#include "kobolt/tokenizer.h"

namespace {

constexpr std::array<std::string_view, 4> files = {
    R"({"added_tokens": [{"content": "<s>", "special": true, "lstrip": true, "rstrip": true},
                         {"content": "ab", "single_word": true, "normalized": true}],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFKC"}, {"type": "Lowercase"}, {"type": "StripAccents"},
            {"type": "Replace", "pattern": {"Regex": "\\s{2,}|\\bx\\w*"}, "content": " "}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"},
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"},
        "model": {"type": "BPE", "unk_token": "?", "fuse_unk": true,
            "vocab": {"?": 0, "a": 1, "b": 2, "▁": 3, "ab": 4, "▁a": 5, "aa": 6, "aaaa": 7},
            "merges": [["a", "a"], ["aa", "aa"], ["a", "b"], ["▁", "a"]]}})",
    R"({"normalizer": {"type": "NFD"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": true}, {"type": "UnicodeScripts"},
            {"type": "ByteLevel", "add_prefix_space": true}]},
        "decoder": {"type": "ByteLevel"},
        "post_processor": {"type": "BertProcessing", "sep": ["a", 1], "cls": ["?", 0]},
        "model": {"type": "BPE", "unk_token": "?", "continuing_subword_prefix": "#",
            "end_of_word_suffix": "$", "vocab": {"?": 0, "a": 1, "#a": 2, "#a$": 3, "aa": 4},
            "merges": ["a #a"]}})",
    R"({"normalizer": {"type": "BertNormalizer"},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece"},
        "model": {"type": "WordPiece", "unk_token": "?", "max_input_chars_per_word": 50,
            "vocab": {"?": 0, "a": 1, "##a": 2, "##ab": 3, "b": 4, "##b": 5}}})",
    R"({"normalizer": {"type": "Sequence", "normalizers": [{"type": "Nmt"}, {"type": "NFKD"},
            {"type": "Strip"}, {"type": "Prepend", "prepend": "▁"}]},
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "[^\\s\\p{L}]+|\\p{N}{1,3}"},
            "behavior": "MergedWithPrevious", "invert": true},
        "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": "▁", "start": 2, "stop": 1}]},
        "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": true,
            "vocab": [["?", 0], ["a", -1], ["b", -1.5], ["ab", -2], ["aba", -2.2], ["<0x41>", -9],
                      ["▁", -1]]}})"};

std::vector<kobolt::Tokenizer> load_all() {
  std::vector<kobolt::Tokenizer> tokenizers;
  tokenizers.reserve(files.size());
  for (const std::string_view file : files) {
    tokenizers.push_back(
        kobolt::Tokenizer::load({{"tokenizer.json", std::string(file)}}, kobolt::Family::bart));
  }
  return tokenizers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<kobolt::Tokenizer> tokenizers = load_all();
  if (size == 0) return 0;
  const kobolt::Tokenizer& tokenizer = tokenizers[data[0] % tokenizers.size()];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const auto ids = tokenizer.encode(text);
    static_cast<void>(tokenizer.decode(ids, false));
    // The same text again must give the same ids: by now its words are in the cache.
    if (tokenizer.encode(text) != ids) __builtin_trap();
    constexpr int limit = 5;
    if (tokenizer.encode(text, {.max_length = limit}).size() > limit) __builtin_trap();
  } catch (const kobolt::Error&) {
  }
  return 0;
}
