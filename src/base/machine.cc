#include "base/machine.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>

namespace kobolt {
namespace {

namespace fs = std::filesystem;

// The first line of a file of the kernel's, empty where there is none.
std::string first_line(const fs::path& path) {
  std::ifstream input(path);
  std::string line;
  std::getline(input, line);
  return line;
}

// This process's directory below the mount of a control group hierarchy: `controllers` is empty
// for version 2, else the name of the version 1 controller.
fs::path group_of(const std::string& controller) {
  std::ifstream input("/proc/self/cgroup");
  std::string line;
  while (std::getline(input, line)) {
    // "4:cpu,cpuacct:/a/b", or "0::/a/b" for version 2.
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string wanted = "," + controller + ",";
    const bool match =
        controller.empty() ? controllers == ",," : controllers.find(wanted) != std::string::npos;
    if (match) return fs::path(line.substr(second + 1)).relative_path();
  }
  return {};
}

// Limits of a group hold for all below it: visits the own group and every one above it. In a
// container the path may belong to the host; then only the mount's root exists.
void for_each_group(const fs::path& mount, const fs::path& group,
                    const std::function<void(const fs::path&)>& visit) {
  for (fs::path path = group; !path.empty(); path = path.parent_path()) visit(mount / path);
  visit(mount);
}

double quota_of(double quota, double period) {
  return quota > 0 && period > 0 ? quota / period : 0;
}

void keep_smaller(double& limit, double candidate) {
  if (candidate > 0 && (limit == 0 || candidate < limit)) limit = candidate;
}

double number(const std::string& text) {
  std::istringstream input(text);
  double value = 0;
  input >> value;
  return input.fail() ? 0 : value;
}

}  // namespace

void pin_to_core(int index) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
  int skip = index % std::max(1, CPU_COUNT(&allowed));
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed) || skip-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    sched_setaffinity(0, sizeof(one), &one);
    return;
  }
}

double cpu_quota() {
  double limit = 0;
  for_each_group("/sys/fs/cgroup", group_of(""), [&limit](const fs::path& path) {
    std::istringstream line(first_line(path / "cpu.max"));  // "max 100000" or "150000 100000"
    std::string quota;
    double period = 0;
    line >> quota >> period;
    keep_smaller(limit, quota_of(number(quota), period));
  });
  for_each_group("/sys/fs/cgroup/cpu", group_of("cpu"), [&limit](const fs::path& path) {
    keep_smaller(limit, quota_of(number(first_line(path / "cpu.cfs_quota_us")),
                                 number(first_line(path / "cpu.cfs_period_us"))));
  });
  return limit;
}

std::uint64_t memory_limit() {
  double limit = 0;
  for_each_group("/sys/fs/cgroup", group_of(""), [&limit](const fs::path& path) {
    keep_smaller(limit, number(first_line(path / "memory.max")));
  });
  for_each_group("/sys/fs/cgroup/memory", group_of("memory"), [&limit](const fs::path& path) {
    const double bytes = number(first_line(path / "memory.limit_in_bytes"));
    // Version 1 says "no limit" with the largest whole number of pages.
    if (bytes < 0x1p62) keep_smaller(limit, bytes);
  });
  return static_cast<std::uint64_t>(limit);
}

std::uint64_t available_memory() {
  std::uint64_t available = 0;
  std::ifstream input("/proc/meminfo");
  for (std::string name, rest; input >> name; std::getline(input, rest)) {
    if (name != "MemAvailable:") continue;
    input >> available;
    available *= 1024;
    break;
  }
  const std::uint64_t limit = memory_limit();
  return limit > 0 ? std::min(available, limit) : available;
}

int usable_cores() {
  int cores = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
  const double quota = cpu_quota();
  if (quota > 0) cores = std::min(cores, static_cast<int>(std::ceil(quota)));
  return std::max(cores, 1);
}

}  // namespace kobolt
