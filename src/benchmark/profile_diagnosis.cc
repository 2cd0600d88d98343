#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "benchmark/profile_sums.h"

namespace kobolt {
namespace {

// Below this share of the machine's limit, neither arithmetic nor memory explains the time.
constexpr double kFarFromCeiling = 0.25;

enum class Bound { arithmetic, memory, neither, unknown };

Bound bound_of(const ProfileEntry& entry) {
  if (entry.least == 0) return Bound::unknown;
  if (entry.share_of_ceiling() < kFarFromCeiling) return Bound::neither;
  return entry.least_arithmetic > entry.least_reading ? Bound::arithmetic : Bound::memory;
}

std::string_view reason(Bound bound) {
  switch (bound) {
    case Bound::arithmetic:
      return ", limited by arithmetic";
    case Bound::memory:
      return ", limited by reading from memory";
    case Bound::neither:
      return ", far from the machine's limit: many small pieces of work, or threads that wait";
    case Bound::unknown:
      break;
  }
  return "";
}

bool is_product(std::string_view name) {
  return name.find("attention") == std::string_view::npos &&
         (name.starts_with("self") || name.starts_with("cross") || name.starts_with("ffn"));
}

// What helps products with weights.
void advise_products(Phase phase, Bound bound, const Summarizer& summarizer,
                     const BenchmarkOptions& work, std::vector<std::string>& advice) {
  const bool wide = summarizer.precision() == Precision::fp32 ||
                    summarizer.precision() == Precision::fp16 ||
                    summarizer.precision() == Precision::bf16;
  if (wide) {
    advice.emplace_back(
        bound == Bound::memory
            ? "smaller weights are read faster: kobolt compile --precision int8, or int4"
            : "integer products do more in the same time: kobolt compile --precision int8");
  } else if (summarizer.precision() == Precision::int8 && bound == Bound::memory) {
    advice.emplace_back("int4 weights are half as many bytes: kobolt compile --precision int4");
  }
  if (phase == Phase::decode && bound != Bound::arithmetic && work.batch < 8) {
    advice.emplace_back(
        "documents decoded together share the reading of weights: a larger --batch");
  }
  advice.emplace_back(
      "fewer heads, neurons or layers are less of both: kobolt prune --method structured");
  if (phase == Phase::encode) {
    advice.emplace_back("shorter documents: encoding grows with their length");
  }
}

std::vector<std::string> advise(const ProfileEntry& entry, const Summarizer& summarizer,
                                const BenchmarkOptions& work) {
  std::vector<std::string> advice;
  const std::string_view name = entry.name;
  const Bound bound = bound_of(entry);
  if (is_product(name)) {
    advise_products(entry.phase, bound, summarizer, work, advice);
  } else if (name == "output projection" || name == "logits") {
    advice.emplace_back(
        "fewer tokens in the vocabulary: kobolt prune can drop those that your data never use");
    if (summarizer.precision() != Precision::int8 && summarizer.precision() != Precision::int4) {
      advice.emplace_back("the same matrix in int8: kobolt compile --layer lm_head=int8");
    }
    advice.emplace_back("fewer beams are fewer rows");
  } else if (name.ends_with("attention") && entry.phase == Phase::decode) {
    if (summarizer.kv_cache() != KvCache::int8) {
      advice.emplace_back("cached keys and values in fewer bytes: --kv-cache int8");
    }
    advice.emplace_back("fewer beams, shorter documents, or fewer heads (kobolt prune)");
  } else if (name.ends_with("attention")) {
    advice.emplace_back(
        "attention grows with the square of a document's length: shorter ones, or "
        "--long split");
  } else if (entry.phase == Phase::search) {
    advice.emplace_back("fewer beams, and no penalties that need every token's score");
  } else if (entry.phase == Phase::tokenize || entry.phase == Phase::detokenize) {
    advice.emplace_back("texts that are tokenised once and kept as ids");
  }
  if (bound == Bound::neither && summarizer.threads() > 1) {
    advice.emplace_back("fewer --threads, where each has too little to do");
  }
  return advice;
}

}  // namespace

Diagnosis diagnose(const ProfileSums& sums, const Summarizer& summarizer,
                   const BenchmarkOptions& work) {
  // Phases without operators compete by their own time.
  std::vector<ProfileEntry> candidates = sums.operators;
  double total = 0;
  for (const ProfileEntry& phase : sums.phases) {
    total += phase.seconds;
    const bool detailed = std::ranges::any_of(
        sums.operators, [&](const ProfileEntry& entry) { return entry.phase == phase.phase; });
    if (!detailed) candidates.push_back(phase);
  }
  const auto longest = std::ranges::max_element(candidates, {}, &ProfileEntry::seconds);
  if (longest == candidates.end() || total <= 0) return {};
  const std::string what = longest->name.empty()
                               ? std::string(name_of(longest->phase))
                               : fmt::format("'{}' of {}", longest->name, name_of(longest->phase));
  return {.bottleneck = fmt::format("{} takes {:.0f} % of the time{}", what,
                                    100 * longest->seconds / total, reason(bound_of(*longest))),
          .advice = advise(*longest, summarizer, work)};
}

}  // namespace kobolt
