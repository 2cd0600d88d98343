#include "cli/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

namespace kobolt::cli {
namespace {

std::string last_part(const std::string& path) {
  std::filesystem::path name(path);
  if (!name.has_filename()) name = name.parent_path();  // "folder/"
  return name.extension() == ".kobolt" ? name.stem().string() : name.filename().string();
}

// What the fastest one costs in quality and gains in size.
std::string fine_print(const ComparedSystem& first, const ComparedSystem& best) {
  std::string text;
  const auto bytes = [](const ComparedSystem& system) {
    return static_cast<double>(system.measured.memory.engine);
  };
  const double smaller = bytes(first) / bytes(best);
  if (smaller >= 1.05) text += fmt::format(", {:.1f} times smaller", smaller);
  if (smaller <= 0.95) text += fmt::format(", {:.1f} times larger", 1 / smaller);
  if (best.quality) {
    text += fmt::format(", and keeps {:.1f} % of its ROUGE-L", best.quality->kept * 100);
  }
  return text;
}

}  // namespace

std::vector<double> time_parts(const Profile& profile) {
  std::vector<double> parts(kTimeParts.size(), 0.0);
  double named = 0;
  const auto add = [&](std::size_t part, double seconds) {
    parts[part] += seconds;
    named += seconds;
  };
  for (const ProfileEntry& entry : profile.operators) {
    const std::string_view name = entry.name;
    const std::size_t side = entry.phase == Phase::encode ? 0 : 2;
    if (name.ends_with("attention")) {
      add(side + 1, entry.seconds);
    } else if (name == "output projection") {
      add(4, entry.seconds);
    } else if (name.starts_with("self") || name.starts_with("cross") || name.starts_with("ffn")) {
      add(side, entry.seconds);
    }
  }
  for (const ProfileEntry& phase : profile.phases) {
    if (phase.phase == Phase::search) add(5, phase.seconds);
  }
  parts.back() = std::max(0.0, profile.seconds - named);
  return parts;
}

std::vector<std::string> short_labels(const std::vector<std::string>& paths) {
  std::vector<std::string> labels;
  for (const std::string& path : paths) {
    const std::string name = last_part(path);
    const auto same = [&](const std::string& other) {
      return other != path && last_part(other) == name;
    };
    labels.push_back(std::ranges::any_of(paths, same) ? path : name);
  }
  const std::vector<std::string> unnumbered = labels;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto before = std::count(
        unnumbered.begin(), unnumbered.begin() + static_cast<std::ptrdiff_t>(i), unnumbered[i]);
    if (before > 0) labels[i] += fmt::format(" #{}", before + 1);
  }
  return labels;
}

std::string speed_text(double ratio) { return fmt::format("{:.{}f}x", ratio, ratio < 10 ? 2 : 1); }

std::string interval_text(const RatioInterval& interval) {
  // Narrow intervals need the third decimal to be one at all.
  const int decimals = interval.high - interval.low < 0.02 ? 3 : 2;
  return fmt::format("{:.{}f} to {:.{}f}", interval.low, decimals, interval.high, decimals);
}

std::string verdict_text(const ComparisonReport& report, std::size_t system) {
  if (system == 0) return "the first";
  switch (verdict_of(report.systems[system].measured.speed)) {
    case Verdict::faster:
      return "faster";
    case Verdict::slower:
      return "slower";
    case Verdict::same:
      break;
  }
  return "inside the noise";
}

std::string summary_sentence(const ComparisonReport& report) {
  const ComparedSystem& first = report.systems.front();
  if (report.systems.size() == 1) {
    return fmt::format("{}: {:.2f} documents/s.", first.label, first.measured.throughput);
  }
  const auto best = std::ranges::max_element(
      report.systems, {}, [](const ComparedSystem& s) { return s.measured.speed.ratio; });
  const RatioInterval& speed = best->measured.speed;
  if (best == report.systems.begin()) return fmt::format("None is faster than {}.", first.label);
  if (verdict_of(speed) == Verdict::same) {
    return fmt::format(
        "No system is measurably faster than {}: what differences there are, are "
        "inside the noise.",
        first.label);
  }
  return fmt::format("{} is {:.2f} times as fast as {} ({}){}.", best->label, speed.ratio,
                     first.label, interval_text(speed), fine_print(first, *best));
}

}  // namespace kobolt::cli
