#include "kobolt/benchmark.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <utility>

#include "kobolt/error.h"

namespace kobolt {
namespace {

constexpr auto kLongestLine = std::numeric_limits<std::streamsize>::max();

void check(const char* option, int value, int least, int most) {
  if (value < least || value > most) {
    throw Error(ErrorKind::invalid_argument, "out of range",
                {.field = option,
                 .found = std::to_string(value),
                 .expected = fmt::format("{} to {}", least, most)});
  }
}

// Ids that are no special tokens: those would end or mark a sequence.
std::vector<std::vector<std::int32_t>> random_documents(const Summarizer& summarizer,
                                                        const BenchmarkOptions& options) {
  const GenerationConfig& generation = summarizer.generation();
  std::vector<std::int32_t> special = generation.eos_token_id;
  for (const auto& id :
       {generation.bos_token_id, generation.pad_token_id, generation.decoder_start_token_id}) {
    if (id) special.push_back(*id);
  }
  std::mt19937_64 random(options.seed);
  const auto vocabulary = static_cast<std::uint64_t>(summarizer.config().encoder_vocab_size);
  std::vector<std::vector<std::int32_t>> documents(static_cast<std::size_t>(options.batch));
  for (auto& document : documents) {
    while (std::cmp_less(document.size(), options.sequence)) {
      const auto id = static_cast<std::int32_t>(random() % vocabulary);
      if (vocabulary <= special.size() || !std::ranges::count(special, id)) document.push_back(id);
    }
  }
  return documents;
}

// The checkpoint's settings, but for what decides how much work there is: the beams, and that
// exactly new_tokens are generated. The end may come as the last token only.
SummarizeOptions exact_length(const Summarizer& summarizer, const BenchmarkOptions& options) {
  SummarizeOptions result{.generation = summarizer.generation()};
  result.generation.num_beams = options.beams;
  result.generation.num_return_sequences = 1;
  result.generation.do_sample = false;
  result.generation.max_new_tokens = options.new_tokens;
  result.generation.min_new_tokens = options.new_tokens - 1;
  result.generation.early_stopping = EarlyStopping::yes;
  result.max_rows = std::max(1, options.batch * options.beams);
  return result;
}

// Linear interpolation between the two nearest ranks.
double percentile(const std::vector<double>& sorted, double fraction) {
  const double rank = fraction * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(rank);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (rank - static_cast<double>(low)) * (sorted[high] - sorted[low]);
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

BenchmarkResult benchmark(Summarizer& summarizer, const BenchmarkOptions& options) {
  const int positions = summarizer.config().max_positions;
  check("batch", options.batch, 1, 1 << 16);
  check("sequence", options.sequence, 1, positions);
  check("beams", options.beams, 1, summarizer.config().vocab_size);
  check("new tokens", options.new_tokens, 1, positions - 1);
  check("iterations", options.iterations, 1, 1 << 30);
  check("warmup", options.warmup, 0, 1 << 30);

  const auto documents = random_documents(summarizer, options);
  const SummarizeOptions settings = exact_length(summarizer, options);
  std::size_t tokens = 0;
  const auto iteration = [&] {
    if (options.encoder_only) {
      for (const auto& hidden : summarizer.encode(documents)) {
        tokens += hidden.size() / static_cast<std::size_t>(summarizer.config().d_model);
      }
    } else {
      for (const Summary& summary : summarizer.generate(documents, settings)) {
        tokens += summary.tokens.size();
      }
    }
  };
  const auto report = [&](int done) {
    if (!options.progress) return;
    options.progress({.done = static_cast<std::size_t>(done),
                      .total = static_cast<std::size_t>(options.warmup + options.iterations)});
  };

  for (int i = 0; i < options.warmup; ++i) {
    iteration();
    report(i + 1);
  }
  tokens = 0;
  BenchmarkResult result;
  for (int i = 0; i < options.iterations; ++i) {
    const auto start = std::chrono::steady_clock::now();
    iteration();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    result.times.push_back(elapsed.count());
    report(options.warmup + i + 1);
  }

  const double total = std::accumulate(result.times.begin(), result.times.end(), 0.0);
  std::vector<double> sorted = result.times;
  std::ranges::sort(sorted);
  result.avg_time = total / static_cast<double>(sorted.size());
  result.p50 = percentile(sorted, 0.50);
  result.p90 = percentile(sorted, 0.90);
  result.p99 = percentile(sorted, 0.99);
  result.min = sorted.front();
  result.max = sorted.back();
  result.throughput = options.batch / result.avg_time;
  result.tokens_per_second = static_cast<double>(tokens) / total;
  result.peak_memory = peak_memory();
  return result;
}

}  // namespace kobolt
