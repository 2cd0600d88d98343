#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/table.h"
#include "kobolt/doctor.h"
#include "kobolt/version.h"

namespace kobolt::cli {
namespace {

std::string state_of(const Component& component) {
  if (!component.found) return "not found";
  std::string state = component.version.empty() ? "found" : "found, " + component.version;
  if (!component.used) state += " (not used by this build)";
  return state;
}

std::string kernels(const MachineReport& report) {
  Table table({{.title = "kernels for"},
               {.title = "compiled"},
               {.title = "runs here"},
               {.title = "tested"}});
  const auto answer = [](bool yes) { return yes ? "yes" : "no"; };
  for (const KernelSet& set : report.kernel_sets) {
    const bool used = set.name == report.instruction_set;
    table.add_row({set.name, answer(set.compiled), used ? "yes, in use" : answer(set.runs_here),
                   set.tested.empty() ? "not run" : set.tested});
  }
  return table.text();
}

std::string cores(const MachineReport& report) {
  std::string text = fmt::format("{} of {} usable", report.cores_usable, report.cores_online);
  if (report.cpu_quota > 0) text += fmt::format(", quota {:.2f}", report.cpu_quota);
  return text;
}

std::string caches(const MachineReport& report) {
  std::vector<std::string> parts;
  for (const Cache& cache : report.caches) {
    std::string part = fmt::format("L{}", cache.level);
    if (cache.type == "data") part += "d";
    if (cache.type == "instruction") part += "i";
    part += fmt::format(" {} KiB", cache.bytes >> 10U);
    if (cache.shared_by > 1) part += fmt::format(" for {} cores", cache.shared_by);
    parts.push_back(part);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string memory(const MachineReport& report) {
  std::string text =
      fmt::format("{} available of {}", format_bytes(static_cast<double>(report.memory_available)),
                  format_bytes(static_cast<double>(report.memory_total)));
  if (report.memory_limit > 0) {
    text += fmt::format(", limit {}", format_bytes(static_cast<double>(report.memory_limit)));
  }
  return text;
}

void print_text(const MachineReport& report, int threads) {
  print("{}", key_values({
                  {"kobolt", std::string(version())},
                  {"processor", report.processor + " (" + report.architecture + ")"},
                  {"features", fmt::format("{}", fmt::join(report.features, " "))},
                  {"kernels", report.instruction_set},
                  {"cores", cores(report)},
                  {"threads", std::to_string(threads)},
                  {"caches", caches(report)},
                  {"memory", memory(report)},
              }));
  print("\n{}", kernels(report));
  Table table({{.title = "optional component"}, {.title = "for"}, {.title = "state"}});
  for (const Component& component : report.components) {
    table.add_row({component.name, component.purpose, state_of(component)});
  }
  print("\n{}", table.text());
  std::vector<std::pair<std::string, std::string>> advice;
  for (const Component& component : report.components) {
    if (!component.found) advice.emplace_back(component.name, component.install);
  }
  for (const Component& component : report.components) {
    if (!component.note.empty()) print("\n{}: {}.\n", component.name, component.note);
  }
  print("\nNothing above is needed: Kobolt's own engine runs on the CPU by itself.\n");
  if (!advice.empty()) print("To install what was not found:\n{}", key_values(advice));
}

void print_machine(const MachineReport& report, int threads) {
  Json caches = Json::array();
  for (const Cache& cache : report.caches) {
    caches.push_back({{"level", cache.level},
                      {"type", cache.type},
                      {"bytes", cache.bytes},
                      {"shared_by", cache.shared_by}});
  }
  Json components = Json::array();
  for (const Component& component : report.components) {
    components.push_back({{"name", component.name},
                          {"purpose", component.purpose},
                          {"found", component.found},
                          {"library", component.library},
                          {"version", component.version},
                          {"used", component.used},
                          {"note", component.note},
                          {"install", component.install}});
  }
  Json sets = Json::array();
  for (const KernelSet& set : report.kernel_sets) {
    sets.push_back({{"name", set.name},
                    {"compiled", set.compiled},
                    {"runs_here", set.runs_here},
                    {"tested", set.tested.empty() ? "not run" : set.tested}});
  }
  print_json({{"version", version()},
              {"processor", report.processor},
              {"architecture", report.architecture},
              {"features", report.features},
              {"instruction_set", report.instruction_set},
              {"instruction_sets", report.instruction_sets},
              {"untested_instruction_sets", report.untested_instruction_sets},
              {"kernels", std::move(sets)},
              {"cores_online", report.cores_online},
              {"cores_usable", report.cores_usable},
              {"cpu_quota", report.cpu_quota},
              {"threads", threads},
              {"caches", std::move(caches)},
              {"memory_total", report.memory_total},
              {"memory_available", report.memory_available},
              {"memory_limit", report.memory_limit},
              {"components", std::move(components)}});
}

}  // namespace

void add_doctor(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(
      app, "doctor", "Show what this machine offers: processor, cores, memory, optional libraries",
      "kobolt doctor\n"
      "kobolt doctor --json");
  command.callback([&global] {
    const MachineReport report = examine_machine();
    const int threads = global.threads > 0 ? global.threads : report.cores_usable;
    if (global.json) {
      print_machine(report, threads);
    } else {
      print_text(report, threads);
    }
  });
}

}  // namespace kobolt::cli
