#include <fmt/format.h>

#include <memory>
#include <string>

#include "base/atomic_file.h"
#include "cli/artifact.h"
#include "cli/commands.h"
#include "cli/engine_flags.h"
#include "cli/output.h"
#include "cli/precision_flags.h"
#include "cli/profile_report.h"
#include "cli/progress.h"
#include "cli/work_flags.h"
#include "kobolt/profile.h"

namespace kobolt::cli {
namespace {

struct ProfileFlags {
  std::string model;
  PrecisionFlags precision;
  EngineFlags engine;
  WorkFlags work;
  int iterations = 10;
  int warmup = 2;
  bool no_ceilings = false;
  std::string trace;
};

void run_profile(const ProfileFlags& flags, const GlobalOptions& global) {
  require_runnable(flags.model);
  if (!flags.trace.empty()) const AtomicFile attempt(flags.trace);
  ProfileOptions options{.work = flags.work.options()};
  options.work.iterations = flags.iterations;
  options.work.warmup = flags.warmup;
  Summarizer summarizer(flags.model, flags.engine.options(global.threads),
                        flags.precision.options());
  options.work.generation = flags.work.generation(summarizer.generation());
  if (!flags.no_ceilings) options.ceilings = machine_ceilings(summarizer.threads());
  ProfileReport report{
      .model = flags.model, .work = flags.work.text(), .ceilings = options.ceilings};
  {
    ProgressBar bar("profiling", "batches", global);
    options.work.progress = [&](const Progress& progress) {
      bar.update(progress.done, progress.total);
    };
    report.profile = profile(summarizer, options);
  }
  if (!flags.trace.empty()) write_file(flags.trace, chrome_trace(report.profile.events));
  if (global.json) {
    Json json = profile_json(report, summarizer);
    json.update(flags.work.json());
    print_json(json);
  } else {
    print("{}", profile_text(report, summarizer));
  }
}

}  // namespace

void add_profile(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(
      app, "profile",
      "Where the time goes: by phase, operator and layer, against what the machine can do.",
      "kobolt profile kobart.kobolt --batch 1 --sequence 512 --new-tokens 64\n"
      "kobolt profile kobart.kobolt --data dialogues.jsonl --batch 8\n"
      "kobolt profile kobart.kobolt --trace trace.json   # open it in ui.perfetto.dev");
  const auto flags = std::make_shared<ProfileFlags>();
  command.add_option("model", flags->model, kRunnableKinds)->required();
  flags->engine.add(command);
  flags->precision.add(command, "For a folder, how to compile it in memory");
  flags->work.add(command);
  command
      .add_option("--iterations", flags->iterations,
                  "Batches to record; as many run without recording, to show what that costs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--warmup", flags->warmup, "Batches before the first one")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->type_name("N");
  command.add_flag("--no-ceilings", flags->no_ceilings,
                   "Do not measure what the machine can do; nothing is then said of its limit");
  command
      .add_option("--trace", flags->trace,
                  "Write the last batch as a Chrome trace (chrome://tracing, ui.perfetto.dev)")
      ->type_name("FILE");
  command.callback([flags, &global] { run_profile(*flags, global); });
}

}  // namespace kobolt::cli
