#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "report/chart.h"
#include "report/chart_frame.h"
#include "report/svg.h"

namespace kobolt {
namespace {

constexpr double kAxisHeight = 24;

// Outline of a sample: how many values lie near each of these places.
std::vector<double> density(const std::vector<double>& values, double low, double high,
                            std::size_t places) {
  std::vector<double> result(places, 0.0);
  // As wide as Silverman's rule says, but never so narrow that single values stick out.
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double width =
      std::max(0.9 * std::sqrt(squares / count) * std::pow(count, -0.2), (high - low) / 120);
  for (std::size_t i = 0; i < places; ++i) {
    const double x = low + (high - low) * static_cast<double>(i) / static_cast<double>(places - 1);
    for (const double value : values) {
      const double z = (x - value) / width;
      result[i] += std::exp(-z * z / 2);
    }
  }
  const double most = *std::ranges::max_element(result);
  for (double& value : result) value /= most;
  return result;
}

double value_at(std::vector<double> values, double fraction) {
  const auto place = static_cast<std::ptrdiff_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

std::string outline(const SampleRow& row, const Axis& axis, double low, double high, double bottom,
                    double height) {
  constexpr std::size_t kPlaces = 120;
  const std::vector<double> heights = density(row.values, low, high, kPlaces);
  std::string path = fmt::format("M{} {}", px(axis.at(low)), px(bottom));
  for (std::size_t i = 0; i < kPlaces; ++i) {
    const double x = low + (high - low) * static_cast<double>(i) / (kPlaces - 1);
    path += fmt::format("L{} {}", px(axis.at(x)), px(bottom - heights[i] * height));
  }
  path += fmt::format("L{} {}Z", px(axis.at(high)), px(bottom));
  return fmt::format(
      "<path d='{0}' fill='var(--s{1})' fill-opacity='.28' stroke='var(--s{1})' "
      "stroke-width='1.5'/>",
      path, row.row.color);
}

}  // namespace

std::string interval_chart(const std::vector<IntervalRow>& rows, double reference,
                           const std::string& reference_name, const std::string& unit) {
  if (rows.empty()) return {};
  double low = reference;
  double high = reference;
  for (const IntervalRow& row : rows) {
    low = std::min(low, row.low);
    high = std::max(high, row.high);
  }
  const double room = std::max((high - low) * 0.06, std::abs(reference) * 0.02);
  // From zero where that is near: the lengths of bars then are what they seem.
  const bool from_zero = low > 0 && low < high * 0.75;
  const Axis axis(from_zero ? 0 : low - room, high + room, RowFrame::kLeft + 4,
                  RowFrame::kRight - 4);
  const RowFrame frame{.row_height = 14, .rows = rows.size()};
  std::string svg = frame.axis(axis, unit);
  const double x = axis.at(reference);
  svg += fmt::format("<line x1='{0}' x2='{0}' y1='{1}' y2='{2}' class='reference'/>", px(x),
                     px(RowFrame::kNameHeight - 2), px(frame.bottom()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const IntervalRow& row = rows[i];
    const double y = frame.top(i) + 7;
    svg += frame.heading(i, row.row);
    if (from_zero) {
      svg += fmt::format(
          "<rect x='{}' y='{}' width='{}' height='14' rx='3' fill='var(--s{})' "
          "fill-opacity='.28'/>",
          px(axis.at(0)), px(y - 7), px(axis.at(row.middle) - axis.at(0)), row.row.color);
    }
    svg += fmt::format(
        "<line x1='{0}' x2='{1}' y1='{2}' y2='{2}' stroke='var(--s{3})' stroke-width='3' "
        "stroke-linecap='round'/><circle cx='{4}' cy='{2}' r='5' fill='var(--s{3})'/>",
        px(axis.at(row.low)), px(axis.at(row.high)), px(y), row.row.color, px(axis.at(row.middle)));
  }
  return svg_frame(frame.bottom() + kAxisHeight, "Intervals; the line is " + reference_name, svg);
}

std::string sample_chart(const std::vector<SampleRow>& rows, const std::string& unit) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  for (const SampleRow& row : rows) {
    for (const double value : row.values) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (!(low <= high)) return {};
  const double room = std::max((high - low) * 0.12, high * 0.01);
  low = std::max(0.0, low - room);
  high += room;
  const Axis axis(low, high, RowFrame::kLeft + 4, RowFrame::kRight - 4);
  const RowFrame frame{.row_height = 34, .rows = rows.size()};
  std::string svg = frame.axis(axis, unit);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].values.empty()) continue;
    const double bottom = frame.top(i) + frame.row_height;
    svg += frame.heading(i, rows[i].row);
    svg += outline(rows[i], axis, low, high, bottom, frame.row_height - 2);
    svg += fmt::format(
        "<line x1='{0}' x2='{0}' y1='{1}' y2='{2}' stroke='var(--s{3})' stroke-width='2.5'/>"
        "<circle cx='{4}' cy='{5}' r='3.5' fill='var(--card)' stroke='var(--s{3})' "
        "stroke-width='2'/>",
        px(axis.at(value_at(rows[i].values, 0.5))), px(bottom - frame.row_height + 2), px(bottom),
        rows[i].row.color, px(axis.at(value_at(rows[i].values, 0.99))), px(bottom));
  }
  return svg_frame(frame.bottom() + kAxisHeight, "Distributions", svg);
}

std::string parts_chart(const std::vector<PartsRow>& rows,
                        const std::vector<std::string>& part_names, const std::string& unit) {
  double most = 0;
  for (const PartsRow& row : rows) {
    most = std::max(most, std::accumulate(row.parts.begin(), row.parts.end(), 0.0));
  }
  if (!(most > 0)) return {};
  const Axis axis(0, most, RowFrame::kLeft, RowFrame::kRight);
  const RowFrame frame{.row_height = 18, .rows = rows.size()};
  std::string svg = frame.axis(axis, unit);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    svg += frame.heading(i, rows[i].row);
    double sum = 0;
    for (std::size_t part = 0; part < rows[i].parts.size(); ++part) {
      const double begin = axis.at(sum);
      sum += rows[i].parts[part];
      const double width = axis.at(sum) - begin;
      if (width < 0.1) continue;
      // A hair of the background between parts, for those who see the colours alike.
      svg += fmt::format(
          "<rect x='{}' y='{}' width='{}' height='{}' fill='var(--p{})'>"
          "<title>{}: {:.3g} {}</title></rect>",
          px(begin), px(frame.top(i)), px(std::max(0.4, width - 1)), px(frame.row_height), part,
          escape_html(part_names[part]), rows[i].parts[part], escape_html(unit));
    }
  }
  std::string html = svg_frame(frame.bottom() + kAxisHeight, "Parts of a whole", svg);
  html += "<ul class='legend'>";
  for (std::size_t part = 0; part < part_names.size(); ++part) {
    html += fmt::format("<li><i style='background:var(--p{})'></i>{}</li>", part,
                        escape_html(part_names[part]));
  }
  return html + "</ul>\n";
}

}  // namespace kobolt
