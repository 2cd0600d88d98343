#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "kobolt/compare.h"
#include "kobolt/profile.h"

namespace kobolt::cli {

/// What the time of a batch is divided into.
inline constexpr std::array<const char*, 7> kTimeParts{"encoder products",  "encoder attention",
                                                       "decoder products",  "decoder attention",
                                                       "output projection", "search",
                                                       "all else"};
/// Seconds of each part of a profile.
std::vector<double> time_parts(const Profile& profile);

/// A system's ROUGE-L beside the first system's.
struct ComparedQuality {
  double rouge_l = 0;  ///< F, the mean over documents
  double kept = 0;     ///< share of the first system's
  double kept_low = 0;
  double kept_high = 0;
  double length = 0;  ///< mean characters of a summary
};

/// One system of a comparison, ready to be shown.
struct ComparedSystem {
  std::string path;
  std::string label;  ///< short, and no other system's
  std::string kind;   ///< "engine file" or "Hugging Face folder"
  std::string precision;
  std::string kv_cache;
  ComparedEngine measured;  ///< memory.peak_resident is that of a process of its own
  double load_seconds = 0;  ///< in that process
  double cold_first_token = 0;
  std::optional<ComparedQuality> quality;  ///< with --data
  std::vector<double> time_parts;          ///< seconds of a batch, in the order of kTimeParts
};

/// All that a report of a comparison shows.
struct ComparisonReport {
  std::string work;     ///< in words
  Json work_json;       ///< the same as fields
  std::string machine;  ///< "AMD EPYC ..., 2 threads, AVX2"
  int threads = 0;
  std::string instruction_set;
  std::string data;  ///< empty without --data
  std::size_t documents = 0;
  double confidence = 0;
  int rounds = 0;
  int batches_per_turn = 0;
  std::uint64_t seed = 0;
  std::string failure;                  ///< what ended it too early; what was measured is here
  std::vector<ComparedSystem> systems;  ///< the first is what others are measured against
};

/// Names for paths: the last part without ".kobolt", the whole path where two would read the same,
/// and a number where even those do.
std::vector<std::string> short_labels(const std::vector<std::string>& paths);

/// "1.62x", and the interval as "1.55 to 1.70".
std::string speed_text(double ratio);
std::string interval_text(const RatioInterval& interval);
/// "faster", "slower" or "inside the noise"; "the first" for the first system.
std::string verdict_text(const ComparisonReport& report, std::size_t system);

/// One sentence for a person: who is fastest, by how much, and at what cost.
std::string summary_sentence(const ComparisonReport& report);

}  // namespace kobolt::cli
