#include "cli/quantity.h"

#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <system_error>

namespace kobolt::cli {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// A number above 0, its unit behind it.
std::optional<double> quantity(std::string_view text, std::span<const Unit> units) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !(value > 0) || value == std::numeric_limits<double>::infinity()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (text.starts_with(' ')) text.remove_prefix(1);
  for (const Unit& unit : units) {
    if (text == unit.name) return value * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> seconds_from_text(std::string_view text) {
  static constexpr std::array<Unit, 3> kUnits{{{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}}};
  return quantity(text, kUnits);
}

std::optional<std::uint64_t> bytes_from_text(std::string_view text) {
  static constexpr std::array<Unit, 7> kUnits{{{"B", 1},
                                               {"kB", 1e3},
                                               {"MB", 1e6},
                                               {"GB", 1e9},
                                               {"KiB", 0x1p10},
                                               {"MiB", 0x1p20},
                                               {"GiB", 0x1p30}}};
  const std::optional<double> bytes = quantity(text, kUnits);
  if (!bytes || *bytes < 1 || *bytes > 0x1p53) return std::nullopt;
  return static_cast<std::uint64_t>(*bytes);
}

}  // namespace kobolt::cli
