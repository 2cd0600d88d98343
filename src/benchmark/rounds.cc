#include "benchmark/rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "benchmark/loop.h"
#include "benchmark/ratio_interval.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

// More rounds than these narrow no interval that a person would look at; pairs of rounds would fill
// the memory.
constexpr int kMostRounds = 1000;
// Of the fewest documents that are whole batches of each engine.
constexpr int kMostUnitsPerTurn = 1000;

void check_rounds(const CompareOptions& options) {
  if (!(options.confidence > 0.5 && options.confidence < 1)) {
    throw Error(ErrorKind::invalid_argument, "out of range",
                {.field = "confidence",
                 .found = fmt::format("{}", options.confidence),
                 .expected = "more than 0.5 and less than 1"});
  }
  const int least = least_rounds(options.confidence);
  if (options.rounds < least || options.rounds > kMostRounds) {
    throw Error(ErrorKind::invalid_argument, "out of range",
                {.field = "rounds",
                 .found = std::to_string(options.rounds),
                 .expected = fmt::format("{} to {} for intervals of {:g} %", least, kMostRounds,
                                         options.confidence * 100)});
  }
}

// Fisher and Yates; std::shuffle differs between libraries.
void shuffle(std::vector<std::size_t>& order, std::mt19937_64& random) {
  for (std::size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[random() % left]);
  }
}

void append(std::vector<double>& to, const std::vector<double>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// All turns of an engine.
struct Turns {
  LoopTimes times;
  std::vector<double> seconds;

  void add(const LoopTimes& turn) {
    append(times.latencies, turn.latencies);
    append(times.first_tokens, turn.first_tokens);
    append(times.per_token, turn.per_token);
    times.seconds += turn.seconds;
    times.documents += turn.documents;
    times.tokens += turn.tokens;
    seconds.push_back(turn.seconds);
  }
};

ComparedEngine summarize_turns(Turns&& turns, const std::vector<double>& first, double confidence) {
  const LoopTimes& times = turns.times;
  ComparedEngine engine{.latency = summarize_times(times.latencies),
                        .throughput = static_cast<double>(times.documents) / times.seconds,
                        .tokens_per_second = static_cast<double>(times.tokens) / times.seconds,
                        .speed = ratio_interval(first, turns.seconds, confidence)};
  if (!times.first_tokens.empty()) engine.first_token = summarize_times(times.first_tokens);
  if (!times.per_token.empty()) engine.per_token = summarize_times(times.per_token);
  engine.times = std::move(turns.times.latencies);
  engine.rounds = std::move(turns.seconds);
  return engine;
}

// Warms every engine up and returns the documents of a turn: whole batches of each.
std::size_t warm_up(std::span<Workload* const> workloads, const CompareOptions& options,
                    std::span<const int> batches, Clock& clock) {
  double fastest = std::numeric_limits<double>::infinity();
  std::size_t unit = 1;
  for (std::size_t i = 0; i < workloads.size(); ++i) {
    // One batch more than asked for: the last one tells how long a document is.
    closed_loop(*workloads[i], batches[i], std::max(1, options.work.warmup), 0, 0, clock,
                [](std::size_t) {});
    const LoopTimes last =
        closed_loop(*workloads[i], batches[i], 1, 0, 0, clock, [](std::size_t) {});
    fastest = std::min(fastest, last.seconds / batches[i]);
    unit = std::lcm(unit, static_cast<std::size_t>(batches[i]));
  }
  const double units =
      std::ceil(options.turn_seconds / std::max(fastest * static_cast<double>(unit), 1e-9));
  return unit * static_cast<std::size_t>(std::clamp(units, 1.0, double{kMostUnitsPerTurn}));
}

}  // namespace

Verdict verdict_of(const RatioInterval& speed) {
  if (speed.low <= 1 && speed.high >= 1) return Verdict::same;
  return speed.ratio > 1 ? Verdict::faster : Verdict::slower;
}

Comparison compare_workloads(std::span<Workload* const> workloads, const CompareOptions& options,
                             Clock& clock, std::span<const int> batches) {
  check_rounds(options);
  const std::vector<int> alike(workloads.size(), options.work.batch);
  if (batches.empty()) batches = alike;
  const std::size_t per_turn = warm_up(workloads, options, batches, clock);
  const auto batches_of = [&](std::size_t engine) {
    return static_cast<int>(per_turn) / batches[engine];
  };
  Comparison comparison{.batches_per_turn = workloads.empty() ? 0 : batches_of(0)};
  const int least = least_rounds(options.confidence);
  const bool budget = options.seconds > 0;
  const double end = clock.now() + options.seconds;
  const auto more = [&] {
    if (!budget) return comparison.rounds < options.rounds;
    return comparison.rounds < least || (clock.now() < end && comparison.rounds < kMostRounds);
  };

  std::mt19937_64 random(options.seed);
  std::vector<std::size_t> order(workloads.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<Turns> turns(workloads.size());
  while (more()) {
    shuffle(order, random);
    const std::size_t first = static_cast<std::size_t>(comparison.rounds) * per_turn;
    std::vector<LoopTimes> round(workloads.size());
    std::size_t under_way = 0;
    try {
      for (const std::size_t engine : order) {
        under_way = engine;
        round[engine] = closed_loop(*workloads[engine], batches[engine], batches_of(engine), 0,
                                    first, clock, [](std::size_t) {});
      }
    } catch (const Error& error) {
      if (comparison.rounds < least) throw;
      comparison.failure = {.engine = under_way, .error = error.what()};
      break;
    }
    for (std::size_t engine = 0; engine < turns.size(); ++engine) turns[engine].add(round[engine]);
    ++comparison.rounds;
    const auto done = static_cast<std::size_t>(comparison.rounds);
    if (options.progress) {
      options.progress(
          {.done = done, .total = budget ? done : static_cast<std::size_t>(options.rounds)});
    }
  }
  const std::vector<double> baseline = turns.empty() ? std::vector<double>() : turns[0].seconds;
  for (Turns& of_engine : turns) {
    comparison.engines.push_back(
        summarize_turns(std::move(of_engine), baseline, options.confidence));
  }
  return comparison;
}

}  // namespace kobolt
