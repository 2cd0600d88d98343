#include <memory>
#include <optional>
#include <string>

#include "cli/artifact.h"
#include "cli/bench_report.h"
#include "cli/commands.h"
#include "cli/engine_flags.h"
#include "cli/output.h"
#include "cli/precision_flags.h"
#include "cli/progress.h"
#include "cli/stopwatch.h"
#include "cli/work_flags.h"
#include "kobolt/benchmark.h"

namespace kobolt::cli {
namespace {

struct BenchFlags {
  std::string model;
  PrecisionFlags precision;
  EngineFlags engine;
  WorkFlags work;
  std::optional<int> iterations;
  std::optional<double> seconds;
  int warmup = BenchmarkOptions{}.warmup;
  double rate = 0;
};

void run_bench(const BenchFlags& flags, const GlobalOptions& global) {
  BenchmarkOptions options = flags.work.options();
  options.warmup = flags.warmup;
  options.iterations = flags.iterations.value_or(options.iterations);
  options.seconds = flags.seconds.value_or(0);
  options.rate = flags.rate;

  const Stopwatch load;
  Summarizer summarizer(flags.model, flags.engine.options(global.threads),
                        flags.precision.options());
  const double load_seconds = load.seconds();
  options.generation = flags.work.generation(summarizer.generation());
  BenchReport report{.model = flags.model, .load_seconds = load_seconds};
  {
    ProgressBar bar("measuring", options.rate > 0 ? "documents" : "batches", global);
    options.progress = [&](const Progress& progress) { bar.update(progress.done, progress.total); };
    report.result = benchmark(summarizer, options);
  }
  if (global.json) {
    print_json(bench_json(report, flags.work, options, summarizer));
  } else {
    print("{}", bench_text(report, flags.work, options, summarizer));
  }
}

}  // namespace

void add_bench(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(
      app, "bench", "Measure latency, throughput, cold start, memory and processor use.",
      "kobolt bench kobart.kobolt --batch 8 --sequence 512 --beams 4 --new-tokens 64\n"
      "kobolt bench kobart.kobolt --data dialogues.jsonl --batch 8 --seconds 30\n"
      "kobolt bench kobart.kobolt --data dialogues.jsonl --batch 8 --rate 4 --seconds 60\n"
      "kobolt bench kobart.kobolt --batch 1 --encoder-only --iterations 20 --json");
  const auto flags = std::make_shared<BenchFlags>();
  command.add_option("model", flags->model, kRunnableKinds)->required();
  flags->engine.add(command);
  flags->precision.add(command, "For a folder, how to compile it in memory");
  flags->work.add(command);
  const char* budget = "How much is measured";
  auto* iterations = command
                         .add_option("--iterations", flags->iterations,
                                     "Batches to time (default: 100); with --rate, documents")
                         ->type_name("N")
                         ->group(budget);
  command
      .add_option("--seconds", flags->seconds, "As many as start within this time, in place of it")
      ->check(CLI::PositiveNumber)
      ->excludes(iterations)
      ->group(budget);
  command.add_option("--warmup", flags->warmup, "Batches before the clock starts")
      ->capture_default_str()
      ->type_name("N")
      ->group(budget);
  command
      .add_option("--rate", flags->rate,
                  "Documents a second that arrive at random moments (Poisson), ready or not: an "
                  "open loop. Latency counts from the arrival; waiting documents are taken "
                  "together, at most --batch")
      ->check(CLI::PositiveNumber)
      ->group(budget);
  command.callback([flags, &global] { run_bench(*flags, global); });
}

}  // namespace kobolt::cli
