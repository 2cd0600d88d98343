#pragma once

#include <optional>
#include <string>
#include <vector>

namespace kobolt {

/// Charts as inline SVG, drawn for a phone's width and no wider: a page with room sets several side
/// by side. Colours are the page's variables --s0, --s1, ... (page.h), so both light and dark are
/// right. All texts are escaped here.

/// One line of a chart: a name, and what is written at its right end.
struct ChartRow {
  std::string name;
  std::string value;
  int color = 0;  ///< which of the page's series colours
};

/// A value with its interval, drawn as a point with a bar: speeds beside a first one.
struct IntervalRow {
  ChartRow row;
  double low = 0;
  double middle = 0;
  double high = 0;
};
/// `reference` gets a line over all rows, called `reference_name`.
std::string interval_chart(const std::vector<IntervalRow>& rows, double reference,
                           const std::string& reference_name, const std::string& unit);

/// Where a sample lies: an outline of how often each value came, its median and 99th percentile.
struct SampleRow {
  ChartRow row;
  std::vector<double> values;
};
std::string sample_chart(const std::vector<SampleRow>& rows, const std::string& unit);

/// A whole made of parts, which have the order of `part_names` and colours of their own (--p0,
/// ...).
struct PartsRow {
  ChartRow row;
  std::vector<double> parts;
};
std::string parts_chart(const std::vector<PartsRow>& rows,
                        const std::vector<std::string>& part_names, const std::string& unit);

/// Two values of each system, with intervals where there are any; its name beside it where there is
/// room.
struct Point {
  std::string name;
  int color = 0;
  double x = 0;
  double y = 0;
  std::optional<double> x_low, x_high, y_low, y_high;
};
std::string scatter_chart(const std::vector<Point>& points, const std::string& x_title,
                          const std::string& y_title);

}  // namespace kobolt
