#include "report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace kobolt {
namespace {

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

double text_width_estimate(std::string_view text, double font_size) {
  double units = 0;
  // Letters of other scripts count as wide: Hangul is.
  for (const char c : text) {
    if ((c & 0xC0) == 0x80) continue;
    units += (c & 0x80) != 0 ? 1.0 : 0.56;
  }
  return units * font_size;
}

std::string shortened(std::string_view text, double width, double font_size) {
  if (text_width_estimate(text, font_size) <= width) return std::string(text);
  std::string result(text);
  while (!result.empty() && text_width_estimate(result, font_size) + font_size > width) {
    do {
      result.pop_back();
    } while (!result.empty() && code_points(result.substr(result.size() - 1)) == 0);
  }
  // The loop leaves whole letters, or the first byte of the one that it took off last.
  while (!result.empty() && (result.back() & 0x80) != 0 && (result.back() & 0x40) != 0) {
    result.pop_back();
  }
  return result + "…";
}

double round_step(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

Axis::Axis(double low, double high, double begin, double end)
    : low_(low), high_(high), begin_(begin), end_(end) {
  constexpr int kParts = 4;
  if (!(high_ > low_)) {
    const double room = low_ == 0 ? 1 : std::abs(low_) * 0.1;
    low_ -= room;
    high_ += room;
  }
  const double step = round_step((high_ - low_) / kParts);
  decimals_ = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6);
  const auto first = static_cast<std::int64_t>(std::ceil(low_ / step - 1e-9));
  const auto last = static_cast<std::int64_t>(std::floor(high_ / step + 1e-9));
  for (std::int64_t i = first; i <= last; ++i) ticks_.push_back(static_cast<double>(i) * step);
}

double Axis::at(double value) const {
  return begin_ + (value - low_) / (high_ - low_) * (end_ - begin_);
}

std::string Axis::label(double tick) const { return fmt::format("{:.{}f}", tick, decimals_); }

std::string px(double value) { return fmt::format("{:.1f}", value); }

}  // namespace kobolt
