#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/chart_frame.h"
#include "report/svg.h"

namespace kobolt {
namespace {

constexpr double kPlotLeft = 46;
constexpr double kPlotTop = 26;
constexpr double kPlotBottom = 262;
constexpr double kPlotHeight = 300;
constexpr double kLabelFont = 12;

struct Range {
  double low;
  double high;
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void widen(double share) {
    const double room = std::max((high - low) * share, std::max(std::abs(high), 1e-9) * 0.01);
    low -= room;
    high += room;
  }
};

std::string axes(const Axis& x, const Axis& y, const std::string& x_title,
                 const std::string& y_title) {
  std::string svg;
  for (const double tick : x.ticks()) {
    svg += fmt::format(
        "<line x1='{0}' x2='{0}' y1='{1}' y2='{2}' class='grid'/>"
        "<text x='{0}' y='{3}' class='tick' text-anchor='middle'>{4}</text>",
        px(x.at(tick)), px(kPlotTop), px(kPlotBottom), px(kPlotBottom + 16), x.label(tick));
  }
  for (const double tick : y.ticks()) {
    svg += fmt::format(
        "<line x1='{0}' x2='{1}' y1='{2}' y2='{2}' class='grid'/>"
        "<text x='{3}' y='{4}' class='tick' text-anchor='end'>{5}</text>",
        px(kPlotLeft), px(RowFrame::kRight), px(y.at(tick)), px(kPlotLeft - 6), px(y.at(tick) + 4),
        y.label(tick));
  }
  svg += fmt::format("<text x='0' y='12' class='axis'>{}</text>", escape_html(y_title));
  svg += fmt::format("<text x='{}' y='{}' class='axis' text-anchor='end'>{}</text>",
                     px(RowFrame::kRight), px(kPlotHeight - 4), escape_html(x_title));
  return svg;
}

struct Box {
  double left;
  double right;
  double middle;  // vertical
  [[nodiscard]] bool meets(const Box& other) const {
    return left < other.right && other.left < right && std::abs(middle - other.middle) < 14;
  }
};

// Beside its point, on the side with room, moved up or down until it meets no other; nothing where
// all is taken. The point has its name as a tooltip too.
std::string label(const Point& point, double x, double y, std::vector<Box>& taken) {
  const double available = RowFrame::kRight - kPlotLeft;
  const std::string text = shortened(point.name, available * 0.6, kLabelFont);
  const double width = text_width_estimate(text, kLabelFont);
  const bool left = x + 10 + width > RowFrame::kRight;
  for (const double shift : {0.0, -15.0, 15.0, -30.0, 30.0, -45.0, 45.0}) {
    const double middle = std::clamp(y + shift, kPlotTop + 7, kPlotBottom - 7);
    const Box box{.left = left ? x - 10 - width : x + 10,
                  .right = left ? x - 10 : x + 10 + width,
                  .middle = middle};
    const bool free = std::ranges::none_of(taken, [&](const Box& b) { return b.meets(box); });
    if (!free) continue;
    taken.push_back(box);
    return fmt::format("<text x='{}' y='{}' class='point' text-anchor='{}'>{}</text>",
                       px(left ? x - 10 : x + 10), px(middle + 4), left ? "end" : "start",
                       escape_html(text));
  }
  return {};
}

}  // namespace

std::string scatter_chart(const std::vector<Point>& points, const std::string& x_title,
                          const std::string& y_title) {
  if (points.empty()) return {};
  Range xs{points[0].x, points[0].x};
  Range ys{points[0].y, points[0].y};
  for (const Point& point : points) {
    for (const double x :
         {point.x, point.x_low.value_or(point.x), point.x_high.value_or(point.x)}) {
      xs.include(x);
    }
    for (const double y :
         {point.y, point.y_low.value_or(point.y), point.y_high.value_or(point.y)}) {
      ys.include(y);
    }
  }
  xs.widen(0.08);
  ys.widen(0.12);
  const Axis x_axis(xs.low, xs.high, kPlotLeft, RowFrame::kRight);
  const Axis y_axis(ys.low, ys.high, kPlotBottom, kPlotTop);
  std::string svg = axes(x_axis, y_axis, x_title, y_title);
  std::vector<Box> taken;
  // No label may cover a point.
  for (const Point& point : points) {
    const double x = x_axis.at(point.x);
    taken.push_back({.left = x - 7, .right = x + 7, .middle = y_axis.at(point.y)});
  }
  std::string labels;
  for (const Point& point : points) {
    const double x = x_axis.at(point.x);
    const double y = y_axis.at(point.y);
    const auto bar = [&](double x1, double y1, double x2, double y2) {
      return fmt::format(
          "<line x1='{}' y1='{}' x2='{}' y2='{}' stroke='var(--s{})' stroke-width='2' "
          "stroke-opacity='.55' stroke-linecap='round'/>",
          px(x1), px(y1), px(x2), px(y2), point.color);
    };
    if (point.x_low && point.x_high) {
      svg += bar(x_axis.at(*point.x_low), y, x_axis.at(*point.x_high), y);
    }
    if (point.y_low && point.y_high) {
      svg += bar(x, y_axis.at(*point.y_low), x, y_axis.at(*point.y_high));
    }
    svg += fmt::format("<circle cx='{}' cy='{}' r='6' fill='var(--s{})'><title>{}</title></circle>",
                       px(x), px(y), point.color, escape_html(point.name));
    labels += label(point, x, y, taken);
  }
  return svg_frame(kPlotHeight, y_title + " against " + x_title, svg + labels);
}

}  // namespace kobolt
