#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "cli/command.h"

namespace kobolt::cli {

/// A line on standard error that redraws itself: how far, how fast, how long still. Only on a
/// terminal and without --quiet or it stays silent; gone when the work is done.
class ProgressBar {
 public:
  /// `work` and `unit` as in "summarising 12/200 documents".
  ProgressBar(std::string work, std::string unit, const GlobalOptions& global);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();

  /// Cheap to call often: redraws a few times a second.
  void update(std::size_t done, std::size_t total);
  /// The same line for work that has no units: a text, and how much of the time is over, 0 to 1.
  void show(const std::string& text, double share);
  /// A line that stays, above the one that is redrawn.
  void note(const std::string& line);
  /// Wipes the line, so that other text can be printed; the next update draws it again.
  void clear();

 private:
  void draw(const std::string& line);
  static std::size_t columns();

  using Clock = std::chrono::steady_clock;
  std::string work_;
  std::string unit_;
  bool visible_;
  bool drawn_ = false;
  Clock::time_point start_;
  Clock::time_point last_draw_;
};

/// "12/200 documents  34.1/s  5 s left  [===>    ]", cut to `columns`. Before the first unit is
/// done there is no speed to tell.
std::string progress_line(const std::string& work, const std::string& unit, std::size_t done,
                          std::size_t total, double seconds, std::size_t columns);

/// `text` with "  [===>    ]" behind it where there is room, cut to `columns`.
std::string bar_line(const std::string& text, double share, std::size_t columns);

/// "48 s", "3 min 20 s", "2 h 05 min".
std::string format_duration(double seconds);

}  // namespace kobolt::cli
