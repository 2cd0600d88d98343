#include "report/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "report/svg.h"

namespace kobolt {
namespace {

constexpr double kPanelWidth = 520;
constexpr double kPanelHeight = 400;
constexpr double kLeft = 64;  // of the plot inside its panel
constexpr double kRight = 16;
constexpr double kTop = 40;
constexpr double kBottom = 56;
constexpr double kMarker = 4.5;
constexpr std::size_t kLegendColumns = 4;
constexpr double kLegendRow = 22;

// Okabe and Ito's colours, which people with any colour vision tell apart; markers differ as well.
constexpr std::array kColours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                 "#E69F00", "#56B4E9", "#000000", "#999999"};

std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const std::string& more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y,
                     anchor, more, escape_html(text));
}

std::string line(double x1, double y1, double x2, double y2, const char* colour, double width) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
      "stroke-width=\"{}\"/>\n",
      x1, y1, x2, y2, colour, width);
}

const char* colour_of(std::size_t series) { return kColours[series % kColours.size()]; }

std::string polygon(const char* colour, std::initializer_list<LinePoint> corners) {
  std::string points;
  for (const LinePoint& corner : corners)
    points += fmt::format("{:.1f},{:.1f} ", corner.x, corner.y);
  points.pop_back();
  return fmt::format("<polygon points=\"{}\" fill=\"{}\"/>\n", points, colour);
}

std::string marker(std::size_t series, double x, double y) {
  const char* colour = colour_of(series);
  const double r = kMarker;
  switch (series % 4) {
    case 0:
      return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\"/>\n", x, y, r,
                         colour);
    case 1:
      return polygon(colour, {{x - r, y - r}, {x + r, y - r}, {x + r, y + r}, {x - r, y + r}});
    case 2:
      return polygon(colour, {{x, y - r - 1}, {x + r + 1, y + r}, {x - r - 1, y + r}});
    default:
      return polygon(colour, {{x, y - r - 2}, {x + r + 2, y}, {x, y + r + 2}, {x - r - 2, y}});
  }
}

bool finite(const LinePoint& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

/// One chart in its place.
class Panel {
 public:
  Panel(const LineChart& chart, double left) : chart_(chart), left_(left + kLeft) {
    double low_x = std::numeric_limits<double>::infinity();
    double high_x = -low_x;
    double low_y = 0;
    double high_y = 0;
    for (const LineSeries& series : chart.series) {
      for (const LinePoint& point : series.points) {
        if (!finite(point)) continue;
        low_x = std::min(low_x, point.x);
        high_x = std::max(high_x, point.x);
        low_y = std::min(low_y, point.y);
        high_y = std::max(high_y, point.y);
      }
    }
    if (low_x > high_x) low_x = high_x = 0;  // nothing to show but axes
    x_ticks_ = axis_ticks(low_x, high_x, 7);
    y_ticks_ = axis_ticks(low_y, high_y, 7);
  }

  [[nodiscard]] std::string text() const {
    std::string out =
        text_at(left_ + kWidth / 2, kTop - 16, "middle", chart_.title, " font-weight=\"bold\"");
    out += axes();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) out += curve(i);
    return out;
  }

 private:
  static constexpr double kWidth = kPanelWidth - kLeft - kRight;
  static constexpr double kHeight = kPanelHeight - kTop - kBottom;

  [[nodiscard]] double x_of(double x) const {
    return left_ + (x - x_ticks_.front()) / (x_ticks_.back() - x_ticks_.front()) * kWidth;
  }
  [[nodiscard]] double y_of(double y) const {
    return kTop + kHeight - (y - y_ticks_.front()) / (y_ticks_.back() - y_ticks_.front()) * kHeight;
  }

  [[nodiscard]] std::string axes() const {
    const double bottom = kTop + kHeight;
    std::string out;
    for (const double tick : x_ticks_) {
      out += line(x_of(tick), kTop, x_of(tick), bottom, "#dddddd", 1);
      out += text_at(x_of(tick), bottom + 18, "middle", fmt::format("{:g}", tick));
    }
    for (const double tick : y_ticks_) {
      out += line(left_, y_of(tick), left_ + kWidth, y_of(tick), "#dddddd", 1);
      out += text_at(left_ - 8, y_of(tick) + 4, "end", fmt::format("{:g}", tick));
    }
    out += line(left_, kTop, left_, bottom, "#333333", 1.5);
    out += line(left_, bottom, left_ + kWidth, bottom, "#333333", 1.5);
    out += text_at(left_ + kWidth / 2, bottom + 40, "middle", chart_.x_label);
    const double x = left_ - 46;
    const double y = kTop + kHeight / 2;
    return out + text_at(x, y, "middle", chart_.y_label,
                         fmt::format(" transform=\"rotate(-90 {:.1f} {:.1f})\"", x, y));
  }

  [[nodiscard]] std::string curve(std::size_t index) const {
    std::string points;
    std::string markers;
    for (const LinePoint& point : chart_.series[index].points) {
      if (!finite(point)) continue;
      points += fmt::format("{:.1f},{:.1f} ", x_of(point.x), y_of(point.y));
      markers += marker(index, x_of(point.x), y_of(point.y));
    }
    if (points.empty()) return "";
    points.pop_back();
    return fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n",
                       points, colour_of(index)) +
           markers;
  }

  const LineChart& chart_;
  double left_;
  std::vector<double> x_ticks_;
  std::vector<double> y_ticks_;
};

std::string legend(const std::vector<LineSeries>& series, double width) {
  std::string out;
  const double column = width / kLegendColumns;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double x = static_cast<double>(i % kLegendColumns) * column + 24;
    const std::size_t row = i / kLegendColumns;
    const double y = kPanelHeight + 14 + static_cast<double>(row) * kLegendRow;
    out += line(x - 12, y, x + 12, y, colour_of(i), 2) + marker(i, x, y);
    out += text_at(x + 20, y + 4, "start", series[i].name);
  }
  return out;
}

}  // namespace

std::vector<double> axis_ticks(double low, double high, int count) {
  if (!(high > low)) high = low + std::max(std::abs(low), 1.0);
  const double step = round_step((high - low) / count);
  // A hair of tolerance: 0.6 / 0.1 is not 6.
  const auto first = static_cast<long>(std::floor(low / step + 1e-6));
  const auto last = static_cast<long>(std::ceil(high / step - 1e-6));
  std::vector<double> ticks;
  for (long i = first; i <= last; ++i) ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

std::string line_charts(std::span<const LineChart> charts) {
  const double width = kPanelWidth * static_cast<double>(std::max<std::size_t>(charts.size(), 1));
  const std::size_t series = charts.empty() ? 0 : charts.front().series.size();
  const std::size_t rows = (series + kLegendColumns - 1) / kLegendColumns;
  const double height = kPanelHeight + static_cast<double>(rows) * kLegendRow + 8;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      width, height);
  for (std::size_t i = 0; i < charts.size(); ++i) {
    out += Panel(charts[i], kPanelWidth * static_cast<double>(i)).text();
  }
  if (!charts.empty()) out += legend(charts.front().series, width);
  return out + "</svg>\n";
}

}  // namespace kobolt
