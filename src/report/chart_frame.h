#pragma once

#include <string>

#include "report/chart.h"
#include "report/svg.h"

namespace kobolt {

/// What charts of rows share: a name over each row, an axis below all of them.
struct RowFrame {
  static constexpr double kWidth = 360;
  static constexpr double kLeft = 8;
  static constexpr double kRight = kWidth - 8;
  static constexpr double kNameHeight = 22;
  static constexpr double kFont = 13;
  double row_height;  ///< of what is drawn below a name
  std::size_t rows;

  [[nodiscard]] double stride() const { return kNameHeight + row_height + 10; }
  /// Where the drawing of a row begins.
  [[nodiscard]] double top(std::size_t row) const {
    return static_cast<double>(row) * stride() + kNameHeight;
  }
  [[nodiscard]] double bottom() const { return static_cast<double>(rows) * stride(); }

  /// Name and value of a row.
  [[nodiscard]] std::string heading(std::size_t row, const ChartRow& text) const;
  /// Lines and numbers of the axis, to be drawn before the rows.
  [[nodiscard]] std::string axis(const Axis& axis, const std::string& unit) const;
};

/// <svg> around `body`; `title` is what a screen reader says.
std::string svg_frame(double height, const std::string& title, const std::string& body);

}  // namespace kobolt
