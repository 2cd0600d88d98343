#pragma once

#include <string>
#include <string_view>

namespace kobolt::text {

/// Looks over the parts of a serialized SentencePiece model that the library uses without looking:
/// its tables of replacements. Throws Error(corrupt) about `file` where they lead outside
/// themselves, or where the bytes are no protocol buffer.
void check_sentencepiece(std::string_view bytes, const std::string& file);

}  // namespace kobolt::text
