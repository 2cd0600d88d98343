#pragma once

#include <span>
#include <string>
#include <vector>

namespace kobolt {

struct LinePoint {
  double x = 0;
  double y = 0;
};

/// Points that a line joins in the order given.
struct LineSeries {
  std::string name;
  std::vector<LinePoint> points;
};

/// A line chart. Its y axis begins at 0 or below.
struct LineChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<LineSeries> series;
};

/// Charts side by side as an SVG file, with one legend below: series of the same place in each
/// chart share name, colour and marker. Points that are not finite are left out.
std::string line_charts(std::span<const LineChart> charts);

/// Round numbers (1, 2 or 5 times a power of ten apart) that cover [low, high], about `count`.
std::vector<double> axis_ticks(double low, double high, int count);

}  // namespace kobolt
