#include "cli/optimize_flags.h"

#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>

#include "cli/quantity.h"
#include "cli/share.h"
#include "cli/validators.h"

namespace kobolt::cli {
namespace {

// "25%" or "4x", four times smaller, as a share of the fp32 engine; nothing for other text.
std::optional<double> size_share_from_text(const std::string& text) {
  if (text.ends_with('%')) return share_from_text(text);
  if (!text.ends_with('x')) return std::nullopt;
  double times = 0;
  const char* end = text.data() + text.size() - 1;
  const auto [read, error] = std::from_chars(text.data(), end, times);
  if (error != std::errc() || read != end || !(times >= 1)) return std::nullopt;
  return 1 / times;
}

OptimizeTargets targets_of(const OptimizeFlags& flags) {
  OptimizeTargets targets;
  if (!flags.keep.empty()) targets.keep = share_from_text(flags.keep);
  if (!flags.latency.empty()) targets.latency = seconds_from_text(flags.latency);
  targets.size_share = size_share_from_text(flags.size);
  if (!targets.size_share && !flags.size.empty()) targets.size = bytes_from_text(flags.size);
  if (!flags.memory.empty()) targets.memory = bytes_from_text(flags.memory);
  const bool any =
      targets.keep || targets.latency || targets.size || targets.size_share || targets.memory;
  if (!any) targets.keep = GateOptions{}.keep;
  return targets;
}

OptimizeFor preference_of(const std::string& name) {
  if (name == "size") return OptimizeFor::size;
  return name == "quality" ? OptimizeFor::quality : OptimizeFor::speed;
}

OptimizeSpace space_of(const OptimizeFlags& flags) {
  OptimizeSpace space;
  space.precisions.clear();
  for (const std::string& name : flags.precisions) {
    space.precisions.push_back(precision_from_name(name));
  }
  space.mixed = !flags.no_mixed;
  space.prunings.clear();
  for (const std::string& name : flags.prunings) {
    if (name != "none") space.prunings.push_back(pruning_step_from_name(name));
  }
  space.kv_caches.clear();
  for (const std::string& name : flags.kv_caches)
    space.kv_caches.push_back(kv_cache_from_name(name));
  space.beams = flags.beams;
  space.threads = flags.threads;
  space.batches = flags.batches;
  return space;
}

void add_targets(CLI::App& command, OptimizeFlags& flags) {
  const char* group = "What the result has to meet (default: --keep 99%)";
  command
      .add_option("--keep", flags.keep,
                  "Share of the fp32 model's ROUGE-1, -2 and -L each, and 90 % of its length: "
                  "MLPerf's rule")
      ->check(readable(share_from_text, "a share such as 99%"))
      ->type_name("SHARE")
      ->group(group);
  command
      .add_option("--latency", flags.latency,
                  "Most time for a batch of the documents, p95: 19 of 20 are within it")
      ->check(readable(seconds_from_text, "a time such as 50ms"))
      ->type_name("TIME")
      ->group(group);
  command
      .add_option("--size", flags.size,
                  "Most bytes of the engine file, 60MB, or share of the fp32 engine's, 25% or 4x "
                  "for four times smaller")
      ->check(readable(
          [](const std::string& text) {
            return size_share_from_text(text).has_value() || bytes_from_text(text).has_value();
          },
          "a size such as 60MB, 25% or 4x"))
      ->type_name("SIZE")
      ->group(group);
  command.add_option("--memory", flags.memory, "Most memory of a process that runs it")
      ->check(readable(bytes_from_text, "a size such as 200MB"))
      ->type_name("SIZE")
      ->group(group);
  command
      .add_option("--prefer", flags.prefer,
                  "What is best among those that meet it: speed, size or quality")
      ->check(CLI::IsMember({"speed", "size", "quality"}))
      ->capture_default_str()
      ->group(group);
}

void add_data(CLI::App& command, OptimizeFlags& flags) {
  const char* group = "Documents";
  command
      .add_option(
          "--data", flags.data,
          "Documents with summaries: .jsonl, .json, .csv, .tsv. One half is searched on, the "
          "other one confirms")
      ->required()
      ->check(CLI::ExistingFile)
      ->type_name("FILE")
      ->group(group);
  command.add_option("--document-field", flags.fields.document_field, "Field of the document")
      ->capture_default_str()
      ->group(group);
  command.add_option("--summary-field", flags.fields.summary_field, "Field of the reference")
      ->capture_default_str()
      ->group(group);
  command.add_option("--limit", flags.limit, "Only the first N documents; 0 = all")
      ->type_name("N")
      ->group(group);
  flags.calibration.add(command,
                        "Other documents, to round int4 weights for (default: those that are "
                        "searched on)");
  command
      .add_option("--rouge-tokens", flags.rouge_tokens,
                  "unicode: words of any script; ascii: as rouge-score; char: letters")
      ->check(CLI::IsMember({"unicode", "ascii", "char"}))
      ->capture_default_str()
      ->group(group);
}

void add_space(CLI::App& command, OptimizeFlags& flags) {
  const char* group = "What may be changed: lists; one value fixes it";
  command.add_option("--try-precision", flags.precisions, "Formats of the weights")
      ->delimiter(',')
      ->check(CLI::IsMember({"fp32", "fp16", "bf16", "int8", "int4"}))
      ->capture_default_str()
      ->group(group);
  command.add_flag("--no-mixed", flags.no_mixed, "One precision for all layers")->group(group);
  for (const PruningStep& step : default_pruning_steps()) flags.prunings.push_back(name_of(step));
  command
      .add_option("--try-pruning", flags.prunings,
                  "Ways of pruning and amounts, as kobolt compile --prune takes them: +wanda and "
                  "+taylor look at documents that are searched on; none")
      ->delimiter(',')
      ->check(without_error([](const std::string& text) {
        if (text != "none") (void)pruning_step_from_name(text);
      }))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--try-kv-cache", flags.kv_caches,
                  "Formats of cached keys and values; auto: as the weights' format has it")
      ->delimiter(',')
      ->check(CLI::IsMember({"auto", "fp32", "fp16", "int8"}))
      ->capture_default_str()
      ->group(group);
  command
      .add_option(
          "--try-beams", flags.beams,
          "Numbers of beams; 0 = the checkpoint's. Fewer are faster and write other summaries")
      ->delimiter(',')
      ->check(CLI::Range(0, 4096))
      ->capture_default_str()
      ->group(group);
  command.add_option("--try-threads", flags.threads, "Numbers of threads; 0 = --threads")
      ->delimiter(',')
      ->check(CLI::Range(0, 4096))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--try-batch", flags.batches,
                  "Documents at once; 0 = --batch. More are faster by the document, and each waits "
                  "for all of its batch")
      ->delimiter(',')
      ->check(CLI::Range(0, 1 << 16))
      ->capture_default_str()
      ->group(group);
}

}  // namespace

OptimizeOptions optimize_options(const OptimizeFlags& flags) {
  return {.targets = targets_of(flags),
          .prefer = preference_of(flags.prefer),
          .space = space_of(flags),
          .minutes = flags.minutes,
          .batch = flags.batch,
          .rouge_tokens = rouge_tokens_from_name(flags.rouge_tokens),
          .seed = flags.seed,
          .trials = std::filesystem::path(flags.output) / "trials.sqlite"};
}

void add_options(CLI::App& command, OptimizeFlags& flags) {
  command.add_option("model", flags.model, "Hugging Face folder")->required();
  command
      .add_option(
          "-o,--output", flags.output,
          "Folder for model.kobolt, settings.yaml, report.html and trials.sqlite. One that a "
          "search has begun goes on")
      ->required()
      ->type_name("FOLDER");
  command.add_option("--minutes", flags.minutes, "Time for measuring, over all runs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--batch", flags.batch, "Documents at once, when speed is measured")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  command.add_option("--seed", flags.seed, "Of what is drawn at random: halves, orders")
      ->capture_default_str();
  add_targets(command, flags);
  add_data(command, flags);
  add_space(command, flags);
}

}  // namespace kobolt::cli
