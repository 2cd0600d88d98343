#include "report/chart_frame.h"

#include <fmt/format.h>

#include <algorithm>

namespace kobolt {

std::string RowFrame::heading(std::size_t row, const ChartRow& text) const {
  const double y = static_cast<double>(row) * stride() + kNameHeight - 7;
  const double name_width = kWidth - 2 * kLeft - text_width_estimate(text.value, kFont) - 12;
  return fmt::format(
      "<text x='{}' y='{}' class='name'>{}</text>"
      "<text x='{}' y='{}' class='value' text-anchor='end'>{}</text>",
      px(kLeft), px(y), escape_html(shortened(text.name, name_width, kFont)), px(kRight), px(y),
      escape_html(text.value));
}

std::string RowFrame::axis(const Axis& axis, const std::string& unit) const {
  std::string svg;
  for (const double tick : axis.ticks()) {
    const double x = axis.at(tick);
    const bool last = tick == axis.ticks().back();
    std::string label = axis.label(tick);
    if (last && !unit.empty()) label += " " + unit;
    const double half = text_width_estimate(label, 11) / 2;
    const double text_x = std::clamp(x, kLeft + half, kRight - half);
    svg += fmt::format(
        "<line x1='{0}' x2='{0}' y1='{1}' y2='{2}' class='grid'/>"
        "<text x='{3}' y='{4}' class='tick' text-anchor='middle'>{5}</text>",
        px(x), px(kNameHeight - 2), px(bottom()), px(text_x), px(bottom() + 16),
        escape_html(label));
  }
  return svg;
}

std::string svg_frame(double height, const std::string& title, const std::string& body) {
  return fmt::format("<svg viewBox='0 0 {} {}' role='img' aria-label=\"{}\">{}</svg>\n",
                     RowFrame::kWidth, px(height), escape_html(title), body);
}

}  // namespace kobolt
