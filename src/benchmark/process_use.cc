#include "benchmark/process_use.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "kobolt/benchmark.h"

namespace kobolt {
namespace {

constexpr auto kLongestLine = std::numeric_limits<std::streamsize>::max();

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

std::uint64_t peak_memory() {
  // Linux counts what the parent had before exec in rusage, and nothing of it here.
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key; status.ignore(kLongestLine, '\n')) {
    std::uint64_t kilobytes = 0;
    if (key == "VmHWM:" && status >> kilobytes) return kilobytes * 1024U;
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024U;
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

double process_age() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  // The name in parentheses may hold anything; the start is the 20th word after it, in ticks since
  // the machine's.
  std::istringstream words(text.substr(std::min(text.rfind(')') + 1, text.size())));
  constexpr int kStart = 20;
  std::string word;
  for (int i = 0; i < kStart; ++i) words >> word;
  const long ticks = ::sysconf(_SC_CLK_TCK);
  timespec now{};
  if (words.fail() || ticks <= 0 || ::clock_gettime(CLOCK_BOOTTIME, &now) != 0) return 0;
  const double started = std::strtod(word.c_str(), nullptr) / static_cast<double>(ticks);
  return std::max(
      0.0, static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) - started);
}

}  // namespace kobolt
