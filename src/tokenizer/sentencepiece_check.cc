#include "tokenizer/sentencepiece_check.h"

#include <cstdint>

#include "kobolt/error.h"

namespace kobolt::text {
namespace {

// Field numbers in sentencepiece_model.proto.
constexpr std::uint64_t normalizer_spec = 3;
constexpr std::uint64_t denormalizer_spec = 5;
constexpr std::uint64_t precompiled_charsmap = 2;

[[noreturn]] void corrupt(const std::string& file, const std::string& field,
                          const std::string& message) {
  throw Error(ErrorKind::corrupt, message,
              {.file = file, .field = field, .hint = "copy or download the file again"});
}

/// Walks over the fields of a protocol buffer message.
class Fields {
 public:
  Fields(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(&file) {}

  /// Calls `visit(number, content)` for each length-delimited field.
  template <typename Visit>
  void for_each(Visit&& visit) {
    while (at_ < bytes_.size()) {
      const std::uint64_t key = varint();
      switch (key & 7U) {
        case 0:
          varint();
          break;
        case 1:
          take(8);
          break;
        case 2:
          visit(key >> 3U, take(varint()));
          break;
        case 5:
          take(4);
          break;
        default:
          broken();
      }
    }
  }

 private:
  [[noreturn]] void broken() const { corrupt(*file_, "", "is no SentencePiece model"); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ >= bytes_.size()) broken();
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    broken();
  }

  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size() - at_) broken();
    const std::string_view content = bytes_.substr(at_, size);
    at_ += size;
    return content;
  }

  std::string_view bytes_;
  const std::string* file_;
  std::size_t at_ = 0;
};

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return value;
}

// As PrecompiledCharsmap describes it. A step goes from a unit to that unit's base XOR a byte, so
// the block of 256 units around each base must exist; and each value is an offset of a text.
void check_charsmap(std::string_view blob, const std::string& file) {
  constexpr std::size_t unit_size = 4;
  constexpr std::uint32_t is_value = std::uint32_t{1} << 31U;
  const std::string field = "precompiled_charsmap";
  if (blob.empty()) return;
  if (blob.size() < unit_size) corrupt(file, field, "is cut off");
  const std::size_t trie_size = little_endian(blob, 0);
  blob.remove_prefix(unit_size);
  if (trie_size > blob.size() || trie_size % unit_size != 0 || trie_size == 0) {
    corrupt(file, field, "contradicts its own length");
  }
  const std::string_view texts = blob.substr(trie_size);
  if (texts.empty() || texts.back() != '\0') corrupt(file, field, "does not end its last text");
  const std::size_t count = trie_size / unit_size;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t unit = little_endian(blob, i * unit_size);
    if ((unit & is_value) != 0) continue;
    const std::size_t base = i ^ ((unit >> 10U) << ((unit & 0x200U) >> 6U));
    if ((base | 0xFFU) >= count) corrupt(file, field, "points outside its own trie");
    const bool has_value = ((unit >> 8U) & 1U) != 0;
    if (has_value && (little_endian(blob, base * unit_size) & ~is_value) >= texts.size()) {
      corrupt(file, field, "points outside its own texts");
    }
  }
}

}  // namespace

void check_sentencepiece(std::string_view bytes, const std::string& file) {
  Fields(bytes, file).for_each([&](std::uint64_t number, std::string_view content) {
    if (number != normalizer_spec && number != denormalizer_spec) return;
    Fields(content, file).for_each([&](std::uint64_t inner, std::string_view blob) {
      if (inner == precompiled_charsmap) check_charsmap(blob, file);
    });
  });
}

}  // namespace kobolt::text
