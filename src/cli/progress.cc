#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace kobolt::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void put(const std::string& text) {
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
  (void)std::fflush(stderr);
}

}  // namespace

std::string format_duration(double seconds) {
  // An estimate can be anything; a century is far enough.
  const auto whole = std::llround(std::clamp(seconds, 0.0, 3.2e9));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string progress_line(const std::string& work, const std::string& unit, std::size_t done,
                          std::size_t total, double seconds, std::size_t columns) {
  std::string line = fmt::format("{} {}/{} {}", work, done, total, unit);
  if (done > 0 && seconds > 0) {
    const double speed = static_cast<double>(done) / seconds;
    line += fmt::format("  {:.{}f}/s", speed, speed < 100 ? 1 : 0);
    if (done < total) {
      const double left = static_cast<double>(total - done) / speed;
      line += fmt::format("  {} left", format_duration(left));
    }
  }
  if (total == 0) return line.substr(0, columns);
  return bar_line(line, static_cast<double>(done) / static_cast<double>(total), columns);
}

std::string bar_line(const std::string& text, double share, std::size_t columns) {
  constexpr std::size_t kBar = 24;
  if (text.size() + kBar + 4 >= columns) return text.substr(0, columns);
  const auto filled = static_cast<std::size_t>(kBar * std::clamp(share, 0.0, 1.0));
  return fmt::format("{}  [{}{}]", text, std::string(filled, '='), std::string(kBar - filled, ' '));
}

ProgressBar::ProgressBar(std::string work, std::string unit, const GlobalOptions& global)
    : work_(std::move(work)),
      unit_(std::move(unit)),
      visible_(!global.quiet && ::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_draw_(start_) {}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::update(std::size_t done, std::size_t total) {
  if (!visible_) return;
  const auto now = Clock::now();
  if (now - last_draw_ < kRedraw) return;
  last_draw_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  draw(progress_line(work_, unit_, done, total, seconds, columns()));
}

void ProgressBar::show(const std::string& text, double share) {
  if (visible_) draw(bar_line(text, share, columns()));
}

void ProgressBar::note(const std::string& line) {
  clear();
  if (visible_) put(line.substr(0, columns()) + "\n");
}

void ProgressBar::draw(const std::string& line) {
  put("\r\x1b[K" + line);
  drawn_ = true;
}

// One less than there are: some terminals wrap when the last one is filled.
std::size_t ProgressBar::columns() { return terminal_columns() - 1; }

void ProgressBar::clear() {
  if (drawn_) put("\r\x1b[K");
  drawn_ = false;
}

}  // namespace kobolt::cli
