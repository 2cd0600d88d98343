#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kobolt {

/// Text for HTML and SVG, also inside of attributes.
std::string escape_html(std::string_view text);

/// Pixels that `text` takes at most at this size; a browser's font is not known here.
double text_width_estimate(std::string_view text, double font_size);

/// `text` cut with "…" to fit.
std::string shortened(std::string_view text, double width, double font_size);

/// 1, 2 or 5 times a power of ten, at least `least`, which is above 0.
double round_step(double least);

/// A linear axis with ticks at round numbers, 3 to 6 of them.
class Axis {
 public:
  /// Shows low to high (widened where they are equal) on pixels from `begin` to `end`.
  Axis(double low, double high, double begin, double end);
  [[nodiscard]] double at(double value) const;
  [[nodiscard]] const std::vector<double>& ticks() const { return ticks_; }
  /// With as many decimals as the ticks need.
  [[nodiscard]] std::string label(double tick) const;

 private:
  double low_;
  double high_;
  double begin_;
  double end_;
  int decimals_ = 0;
  std::vector<double> ticks_;
};

/// Number of a coordinate: a tenth of a pixel is enough.
std::string px(double value);

}  // namespace kobolt
