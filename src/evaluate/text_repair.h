#pragma once

#include <string>
#include <string_view>

namespace kobolt {

/// `bytes` when they are valid UTF-8; else a copy in `storage` in which each broken sequence is
/// U+FFFD. One bad byte must not cost a user the whole run.
std::string_view repaired_utf8(std::string_view bytes, std::string& storage);

/// `json` when its \u escapes pair up; else a copy in `storage` in which each surrogate without
/// its partner is \ufffd. Python's json module writes such escapes; UTF-8 cannot hold them.
std::string_view repaired_surrogates(std::string_view json, std::string& storage);

/// The first bytes of `text`, cut at a character and marked with "..." when it is longer than
/// `limit` bytes: for error messages.
std::string excerpt(std::string_view text, std::size_t limit = 80);

}  // namespace kobolt
