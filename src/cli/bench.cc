#include <fmt/format.h>

#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/engine_flags.h"
#include "cli/output.h"
#include "cli/precision_flags.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "kobolt/benchmark.h"

namespace kobolt::cli {
namespace {

struct BenchFlags {
  std::string model;
  PrecisionFlags precision;
  EngineFlags engine;
  BenchmarkOptions benchmark;
};

Json result_json(const BenchFlags& options, const Summarizer& summarizer,
                 const BenchmarkResult& result) {
  const BenchmarkOptions& benchmark = options.benchmark;
  Json json = {{"model", options.model},
               {"precision", name_of(summarizer.precision())},
               {"engine_bytes", summarizer.engine_bytes()},
               {"instruction_set", summarizer.instruction_set()},
               {"threads", summarizer.threads()},
               {"kv_cache", name_of(summarizer.kv_cache())},
               {"batch", benchmark.batch},
               {"sequence", benchmark.sequence},
               {"encoder_only", benchmark.encoder_only}};
  if (!benchmark.encoder_only) {
    json["beams"] = benchmark.beams;
    json["new_tokens"] = benchmark.new_tokens;
  }
  json.update({{"iterations", benchmark.iterations},
               {"warmup", benchmark.warmup},
               {"avg_time", result.avg_time},
               {"p50", result.p50},
               {"p90", result.p90},
               {"p99", result.p99},
               {"min", result.min},
               {"max", result.max},
               {"throughput", result.throughput},
               {"tokens_per_second", result.tokens_per_second},
               {"peak_memory", result.peak_memory}});
  return json;
}

std::string milliseconds(double seconds) { return fmt::format("{:.2f} ms", seconds * 1e3); }

void print_text(const BenchFlags& options, const Summarizer& summarizer,
                const BenchmarkResult& result) {
  const BenchmarkOptions& benchmark = options.benchmark;
  const std::string work =
      benchmark.encoder_only
          ? fmt::format("encoder only, {} x {} tokens", benchmark.batch, benchmark.sequence)
          : fmt::format("{} x {} tokens in, {} out, {} beams", benchmark.batch, benchmark.sequence,
                        benchmark.new_tokens, benchmark.beams);
  print("{}",
        key_values({
            {"engine", fmt::format("{} ({}, {})", options.model, name_of(summarizer.precision()),
                                   format_bytes(static_cast<double>(summarizer.engine_bytes())))},
            {"work", work},
            {"machine",
             fmt::format("{} threads, {}", summarizer.threads(), summarizer.instruction_set())},
            {"iterations",
             fmt::format("{} after {} to warm up", benchmark.iterations, benchmark.warmup)},
            {"average", milliseconds(result.avg_time)},
            {"p50", milliseconds(result.p50)},
            {"p90", milliseconds(result.p90)},
            {"p99", milliseconds(result.p99)},
            {"throughput", fmt::format("{:.2f} documents/s", result.throughput)},
            {"tokens", fmt::format("{:.1f} {} tokens/s", result.tokens_per_second,
                                   benchmark.encoder_only ? "encoder" : "generated")},
            {"peak memory", format_bytes(static_cast<double>(result.peak_memory))},
        }));
}

void run(BenchFlags& options, const GlobalOptions& global) {
  Summarizer summarizer(options.model, options.engine.options(global.threads),
                        options.precision.options());
  BenchmarkResult result;
  {
    ProgressBar bar("measuring", "iterations", global);
    options.benchmark.progress = [&](const Progress& progress) {
      bar.update(progress.done, progress.total);
    };
    result = benchmark(summarizer, options.benchmark);
  }
  if (global.json) {
    print_json(result_json(options, summarizer, result));
  } else {
    print_text(options, summarizer, result);
  }
}

}  // namespace

void add_bench(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(
      app, "bench", "Measure latency, throughput and memory on random documents of exact length.",
      "kobolt bench kobart.kobolt --batch 8 --sequence 512 --beams 4 --new-tokens 64\n"
      "kobolt bench kobart.kobolt --batch 1 --encoder-only --iterations 20 --json");
  const auto options = std::make_shared<BenchFlags>();
  BenchmarkOptions& benchmark = options->benchmark;
  command.add_option("model", options->model, "Engine file, or Hugging Face folder")->required();
  options->engine.add(command);
  options->precision.add(command, "For a folder, how to compile it in memory");
  command.add_option("--batch", benchmark.batch, "Documents at once")->capture_default_str();
  command.add_option("--sequence", benchmark.sequence, "Tokens of each document")
      ->capture_default_str();
  command.add_option("--beams,--num-beams", benchmark.beams, "Beams (1 = greedy)")
      ->capture_default_str();
  command.add_option("--new-tokens", benchmark.new_tokens, "Tokens to generate, exactly")
      ->capture_default_str();
  command.add_flag("--encoder-only", benchmark.encoder_only,
                   "Run the encoder and generate nothing");
  command.add_option("--iterations", benchmark.iterations, "Batches to time")
      ->capture_default_str();
  command.add_option("--warmup", benchmark.warmup, "Batches before the clock starts")
      ->capture_default_str();
  command.add_option("--seed", benchmark.seed, "Of the random documents")->capture_default_str();
  command.callback([options, &global] { run(*options, global); });
}

}  // namespace kobolt::cli
