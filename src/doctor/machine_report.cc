#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "base/machine.h"
#include "doctor/components.h"
#include "kernels/kernels.h"
#include "kobolt/doctor.h"

namespace kobolt {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
  std::ifstream input(path);
  std::string line;
  std::getline(input, line);
  return line;
}

std::string trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

// /proc/cpuinfo of the first core: what it is called and what it can do.
void read_processor(MachineReport& report) {
  // x86 and ARM name their features differently; those that decide about speed here.
  constexpr std::array<std::string_view, 16> kRelevant{
      "sse4_2",   "avx",      "f16c",        "fma",         "avx2",     "avx512f",
      "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8",
      "asimd",    "asimddp",  "i8mm",        "sve"};
  std::ifstream input("/proc/cpuinfo");
  std::string line;
  while (std::getline(input, line) && !trim(line).empty()) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string key = trim(std::string_view(line).substr(0, colon));
    const std::string value = trim(std::string_view(line).substr(colon + 1));
    if (key == "model name") report.processor = value;
    if (key != "flags" && key != "Features") continue;
    std::istringstream words(value);
    for (std::string word; words >> word;) {
      if (std::find(kRelevant.begin(), kRelevant.end(), word) != kRelevant.end()) {
        report.features.push_back(word);
      }
    }
  }
}

// "0-3,8" is five cores.
int count_cores(const std::string& list) {
  int count = 0;
  std::istringstream ranges(list);
  for (std::string range; std::getline(ranges, range, ',');) {
    std::istringstream input(range);
    int first = 0;
    int last = 0;
    char dash = 0;
    if (!(input >> first)) continue;
    if (!(input >> dash >> last)) last = first;
    count += std::max(1, last - first + 1);
  }
  return std::max(count, 1);
}

void read_caches(MachineReport& report) {
  for (int index = 0;; ++index) {
    const fs::path folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index);
    const std::string level = first_line(folder / "level");
    if (level.empty()) return;
    Cache cache;
    std::istringstream(level) >> cache.level;
    for (const char letter : first_line(folder / "type")) {
      cache.type += static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
    }
    char unit = 0;
    std::istringstream size(first_line(folder / "size"));
    size >> cache.bytes >> unit;
    if (unit == 'K') cache.bytes <<= 10U;
    if (unit == 'M') cache.bytes <<= 20U;
    cache.shared_by = count_cores(first_line(folder / "shared_cpu_list"));
    report.caches.push_back(cache);
  }
}

void read_memory(MachineReport& report) {
  std::ifstream input("/proc/meminfo");
  std::string line;
  while (std::getline(input, line)) {
    std::istringstream words(line);
    std::string key;
    std::uint64_t kilobytes = 0;
    words >> key >> kilobytes;
    if (key == "MemTotal:") report.memory_total = kilobytes << 10U;
    if (key == "MemAvailable:") report.memory_available = kilobytes << 10U;
  }
  report.memory_limit = memory_limit();
}

}  // namespace

MachineReport examine_machine() {
  MachineReport report;
  utsname system{};
  if (::uname(&system) == 0) report.architecture = system.machine;
  read_processor(report);
  report.cores_online = static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  report.cores_usable = usable_cores();
  report.cpu_quota = cpu_quota();
  report.instruction_set = kernels::instruction_set();
  for (const std::string_view name : kernels::available_instruction_sets()) {
    report.instruction_sets.emplace_back(name);
    if (!kernels::instruction_set_tested(name)) report.untested_instruction_sets.emplace_back(name);
  }
  for (const kernels::InstructionSet& set : kernels::known_instruction_sets()) {
    report.kernel_sets.push_back(
        {.name = std::string(set.name),
         .compiled = set.compiled,
         .runs_here = std::ranges::count(report.instruction_sets, std::string(set.name)) > 0,
         .tested = std::string(set.tested)});
  }
  read_caches(report);
  read_memory(report);
  report.components = probe_components();
  return report;
}

}  // namespace kobolt
