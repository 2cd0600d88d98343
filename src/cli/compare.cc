#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "cli/artifact.h"
#include "cli/commands.h"
#include "cli/compare_report.h"
#include "cli/engine_flags.h"
#include "cli/evaluated.h"
#include "cli/output.h"
#include "cli/own_program.h"
#include "cli/precision_flags.h"
#include "cli/progress.h"
#include "cli/work_flags.h"
#include "kobolt/compare.h"
#include "kobolt/doctor.h"
#include "kobolt/error.h"
#include "kobolt/gate.h"
#include "kobolt/profile.h"

namespace kobolt::cli {
namespace {

struct CompareFlags {
  std::vector<std::string> paths;
  PrecisionFlags precision;
  EngineFlags engine;
  WorkFlags work;
  int rounds = CompareOptions{}.rounds;
  double seconds = 0;
  double confidence = CompareOptions{}.confidence;
  int warmup = 2;
  std::string rouge_tokens = "unicode";
  std::string csv;
  std::string markdown;
  std::string html;
  std::vector<std::string> for_bench;  ///< what was given and `kobolt bench` takes too
};

Summarizer open_system(const CompareFlags& flags, const std::string& path,
                       const GlobalOptions& global) {
  return Summarizer(path, flags.engine.options(global.threads), flags.precision.options());
}

// What only a process of its own can show: the first batch and how much memory that takes.
void measure_cold(const CompareFlags& flags, const GlobalOptions& global, ComparedSystem& system) {
  std::vector<std::string> arguments{"bench", system.path, "--json", "--quiet"};
  std::ranges::copy(flags.for_bench, std::back_inserter(arguments));
  for (const char* one : {"--warmup=1", "--iterations=1"}) arguments.emplace_back(one);
  arguments.push_back(fmt::format("--threads={}", global.threads));
  const Json bench = Json::parse(run_own_program(arguments));
  const Json& cold = bench.at("cold_start");
  system.load_seconds = cold.at("load").get<double>();
  system.cold_first_token = cold.value("first_token", 0.0);
  system.measured.memory.peak_resident = bench.at("peak_memory").get<std::uint64_t>();
}

// ROUGE-L of every system on all documents, and what is kept of the first one's.
void judge_quality(const CompareFlags& flags, const std::vector<Example>& examples,
                   std::vector<Summarizer>& summarizers, ComparisonReport& report,
                   const GlobalOptions& global) {
  std::vector<std::vector<std::string>> references;
  references.reserve(examples.size());
  for (const Example& example : examples) references.push_back(example.references);
  const RougeOptions options{.tokens = rouge_tokens_from_name(flags.rouge_tokens),
                             .bootstrap_samples = 0};
  std::vector<std::vector<std::string>> summaries;
  std::vector<RougeReport> scores;
  for (std::size_t i = 0; i < summarizers.size(); ++i) {
    ComparedSystem& system = report.systems[i];
    SummaryRun run;
    run.settings.generation = *flags.work.generation(summarizers[i].generation());
    summaries.push_back(
        summarize_data(summarizers[i], system.path, examples, std::move(run), global).summaries);
    scores.push_back(rouge(summaries[i], references, options));
    ComparedQuality quality{.rouge_l = scores[i].rougeL.mid.f,
                            .kept = 1,
                            .kept_low = 1,
                            .kept_high = 1,
                            .length = mean_length(summaries[i])};
    if (i > 0) {
      const GateReport gate =
          check_gate({summaries[0], scores[0].documents}, {summaries[i], scores[i].documents},
                     {.confidence = report.confidence});
      const GateMeasure& rouge_l = gate.measures[2];
      quality.kept = rouge_l.kept;
      quality.kept_low = rouge_l.kept_low();
      quality.kept_high = rouge_l.kept_high();
    }
    system.quality = quality;
  }
}

void measure_speed(const CompareFlags& flags, const BenchmarkOptions& work,
                   std::vector<Summarizer>& summarizers, ComparisonReport& report,
                   const GlobalOptions& global) {
  std::vector<Contestant> contestants;
  contestants.reserve(summarizers.size());
  for (Summarizer& summarizer : summarizers) {
    contestants.push_back(
        {.summarizer = &summarizer, .generation = flags.work.generation(summarizer.generation())});
  }
  ProgressBar bar("comparing", "rounds", global);
  Comparison comparison = compare(
      contestants, {.work = work,
                    .rounds = flags.rounds,
                    .seconds = flags.seconds,
                    .confidence = flags.confidence,
                    .seed = work.seed,
                    .progress = [&](const Progress& done) { bar.update(done.done, done.total); }});
  report.rounds = comparison.rounds;
  if (comparison.failure) {
    report.failure = fmt::format("{} failed after {} rounds: {}",
                                 report.systems[comparison.failure->engine].label,
                                 comparison.rounds, comparison.failure->error);
  }
  report.batches_per_turn = comparison.batches_per_turn;
  for (std::size_t i = 0; i < summarizers.size(); ++i) {
    ComparedSystem& system = report.systems[i];
    const std::uint64_t peak = system.measured.memory.peak_resident;
    system.measured = std::move(comparison.engines[i]);
    system.measured.memory.peak_resident = peak;
  }
}

// What each spends its time on; too few batches to compare systems by.
void profile_systems(const BenchmarkOptions& work, std::vector<Summarizer>& summarizers,
                     ComparisonReport& report, const CompareFlags& flags) {
  constexpr int kBatches = 4;
  ProfileOptions options{.work = work};
  options.work.iterations = kBatches;
  options.work.warmup = 0;
  for (std::size_t i = 0; i < summarizers.size(); ++i) {
    options.work.generation = flags.work.generation(summarizers[i].generation());
    report.systems[i].time_parts = time_parts(profile(summarizers[i], options));
  }
}

// What some systems have and others lack cannot be shown side by side.
void drop_what_is_incomplete(ComparisonReport& report) {
  std::vector<ComparedSystem>& systems = report.systems;
  const auto judged = [](const ComparedSystem& system) { return system.quality.has_value(); };
  const auto profiled = [](const ComparedSystem& system) { return !system.time_parts.empty(); };
  if (!std::ranges::all_of(systems, judged)) {
    for (ComparedSystem& system : systems) system.quality.reset();
  }
  if (!std::ranges::all_of(systems, profiled)) {
    for (ComparedSystem& system : systems) system.time_parts.clear();
  }
}

// A system that fails midway, such as one whose GPU vanishes, ends it. What was measured stays.
void measure(const CompareFlags& flags, const BenchmarkOptions& work,
             const std::vector<Example>& examples, std::vector<Summarizer>& summarizers,
             ComparisonReport& report, const GlobalOptions& global) {
  measure_speed(flags, work, summarizers, report, global);
  if (!report.failure.empty()) return;
  try {
    profile_systems(work, summarizers, report, flags);
    if (!examples.empty()) judge_quality(flags, examples, summarizers, report, global);
  } catch (const Error& error) {
    report.failure = fmt::format("failed after the rounds: {}", error.what());
    drop_what_is_incomplete(report);
  }
}

void write_reports(const CompareFlags& flags, const ComparisonReport& report) {
  if (!flags.csv.empty()) write_file(flags.csv, compare_csv(report));
  if (!flags.markdown.empty()) write_file(flags.markdown, compare_markdown(report));
  if (!flags.html.empty()) write_file(flags.html, compare_html(report));
}

void run_compare(const CompareFlags& flags, const GlobalOptions& global) {
  for (const std::string& path : flags.paths) require_runnable(path);
  // Paths that cannot be written should cost no measurement.
  for (const std::string& path : {flags.csv, flags.markdown, flags.html}) {
    if (!path.empty()) const AtomicFile attempt(path);
  }
  BenchmarkOptions work = flags.work.options();
  work.warmup = flags.warmup;
  std::vector<Example> examples;
  if (!flags.work.data().empty()) examples = flags.work.examples(true);

  ComparisonReport report{.work = flags.work.text(),
                          .work_json = flags.work.json(),
                          .data = flags.work.data(),
                          .documents = examples.size(),
                          .confidence = flags.confidence,
                          .seed = work.seed};
  const std::vector<std::string> labels = short_labels(flags.paths);
  for (std::size_t i = 0; i < flags.paths.size(); ++i) {
    ComparedSystem& system = report.systems.emplace_back();
    system.path = flags.paths[i];
    system.label = labels[i];
    system.kind = name_of(artifact_of(system.path));
    measure_cold(flags, global, system);
  }
  std::vector<Summarizer> summarizers;
  for (ComparedSystem& system : report.systems) {
    summarizers.push_back(open_system(flags, system.path, global));
    system.precision = name_of(summarizers.back().precision());
    system.kv_cache = name_of(summarizers.back().kv_cache());
  }
  report.threads = summarizers.front().threads();
  report.instruction_set = summarizers.front().instruction_set();
  report.machine = fmt::format("{}, {} threads, {}", examine_machine().processor, report.threads,
                               report.instruction_set);
  measure(flags, work, examples, summarizers, report, global);

  write_reports(flags, report);
  if (global.json) {
    print_json(compare_json(report));
  } else {
    print("{}", compare_text(report));
  }
  if (!report.failure.empty()) throw Error(ErrorKind::io, report.failure);
}

void add_output_options(CLI::App& command, CompareFlags& flags) {
  const char* group = "Reports, beside the table or --json";
  command.add_option("--html", flags.html, "One page with plots; needs no network to be read")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--markdown", flags.markdown, "The table, to paste")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--csv", flags.csv, "A line a system, plain numbers")
      ->type_name("FILE")
      ->group(group);
}

}  // namespace

void add_compare(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(
      app, "compare",
      "Measure engines and checkpoints against the first of them, in turns, and say which "
      "differences are real.",
      "kobolt compare fp32.kobolt int8.kobolt --batch 1 --sequence 512 --new-tokens 64\n"
      "kobolt compare my-kobart int8.kobolt int4.kobolt --data dev.jsonl --html report.html\n"
      "kobolt compare before.kobolt after.kobolt --seconds 60 --json");
  const auto flags = std::make_shared<CompareFlags>();
  command
      .add_option("models", flags->paths,
                  "Engine files, Hugging Face folders, TorchScript files and folders of ONNX "
                  "graphs; the first is what others are measured against")
      ->required();
  flags->engine.add(command);
  flags->precision.add(command, "For folders, how to compile them in memory");
  flags->work.add(command);
  const char* budget = "How much is measured";
  auto* rounds = command
                     .add_option("--rounds", flags->rounds,
                                 "Rounds; each runs every system once, in an order drawn anew")
                     ->capture_default_str()
                     ->type_name("N")
                     ->group(budget);
  command
      .add_option("--seconds", flags->seconds,
                  "As many rounds as start within this time, in place of it")
      ->check(CLI::PositiveNumber)
      ->excludes(rounds)
      ->group(budget);
  command.add_option("--warmup", flags->warmup, "Batches of each system before the first round")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->type_name("N")
      ->group(budget);
  command.add_option("--confidence", flags->confidence, "Of all intervals")
      ->check(CLI::Range(0.5, 0.9999))
      ->capture_default_str()
      ->group(budget);
  command
      .add_option("--rouge-tokens", flags->rouge_tokens,
                  "unicode: words of any script; ascii: as rouge-score; char: letters")
      ->check(CLI::IsMember({"unicode", "ascii", "char"}))
      ->capture_default_str()
      ->group("Work: real documents");
  add_output_options(command, *flags);
  command.callback([flags, &global, &app, &command] {
    // Budgets are of the comparison.
    flags->for_bench =
        shared_arguments(command, *app.get_subcommand("bench"), {"--warmup", "--seconds"});
    run_compare(*flags, global);
  });
}

}  // namespace kobolt::cli
