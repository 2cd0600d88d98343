#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kobolt::text {

enum class UnicodeForm : std::uint8_t { nfc, nfd, nfkc, nfkd };

/// Writes `utf8` (valid) in normalisation form `form` to `out`. Returns false, with `out`
/// untouched, when the text already has that form.
bool to_form(UnicodeForm form, std::string_view utf8, std::string& out);

}  // namespace kobolt::text
