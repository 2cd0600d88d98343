#include "cli/share.h"

#include <fmt/format.h>

#include <charconv>

namespace kobolt::cli {

std::optional<double> share_from_text(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (percent) value /= 100;
  if (!(value > 0) || value > (percent ? 10.0 : 1.0)) return std::nullopt;
  return value;
}

std::string share_text(double share, double beside) {
  constexpr int kLeast = 2;
  constexpr int kMost = 6;
  const auto text = [](double value, int decimals) {
    return fmt::format("{:.{}f} %", value * 100, decimals);
  };
  int decimals = kLeast;
  while (decimals < kMost && share != beside && text(share, decimals) == text(beside, decimals)) {
    ++decimals;
  }
  return text(share, decimals);
}

}  // namespace kobolt::cli
