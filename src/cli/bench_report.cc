#include "cli/bench_report.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cli/table.h"

namespace kobolt::cli {
namespace {

std::string bytes_text(std::uint64_t bytes) { return format_bytes(static_cast<double>(bytes)); }

Json memory_json(const MemoryUse& memory) {
  return {{"engine", memory.engine},
          {"weights", memory.weights},
          {"kv_cache", memory.kv_cache},
          {"peak_resident", memory.peak_resident}};
}

Json load_json(const LoadSummary& load) {
  return {{"rate", load.rate},
          {"waiting", times_json(load.waiting)},
          {"mean_batch", load.mean_batch},
          {"most_queued", load.queued},
          {"unserved", load.unserved},
          {"overloaded", load.overloaded}};
}

Json gpus_json(const std::vector<GpuUse>& gpus) {
  Json json = Json::array();
  for (const GpuUse& gpu : gpus) {
    Json use{{"name", gpu.name}, {"samples", gpu.samples}};
    if (gpu.samples > 0) use.update({{"memory", gpu.memory}, {"memory_all", gpu.memory_all}});
    if (gpu.utilization) use["utilization"] = *gpu.utilization;
    if (gpu.power) use["power"] = *gpu.power;
    if (!gpu.error.empty()) use["error"] = gpu.error;
    json.push_back(std::move(use));
  }
  return json;
}

std::string gpu_text(const GpuUse& gpu) {
  std::string text = gpu.name;
  if (gpu.samples > 0) {
    text += fmt::format(": {} of {}", bytes_text(gpu.memory), bytes_text(gpu.memory_all));
  }
  if (gpu.utilization) text += fmt::format(", {:.0f} % busy", *gpu.utilization * 100);
  if (gpu.power) text += fmt::format(", {:.0f} W", *gpu.power);
  if (gpu.error.empty()) return text;
  return text +
         fmt::format("; it answers no longer since sample {}: {}", gpu.samples + 1, gpu.error);
}

std::string times_table(const BenchmarkResult& result) {
  Table table({{.title = ""},
               {.title = "average", .align = Align::right},
               {.title = "deviation", .align = Align::right},
               {.title = "p50", .align = Align::right},
               {.title = "p90", .align = Align::right},
               {.title = "p95", .align = Align::right},
               {.title = "p99", .align = Align::right},
               {.title = "min", .align = Align::right},
               {.title = "max", .align = Align::right}});
  const auto add = [&](const char* name, const TimeSummary& times) {
    table.add_row({name, format_seconds(times.average), format_seconds(times.deviation),
                   format_seconds(times.p50), format_seconds(times.p90), format_seconds(times.p95),
                   format_seconds(times.p99), format_seconds(times.min),
                   format_seconds(times.max)});
  };
  add(result.load ? "latency from arrival" : "latency of a batch", result.latency);
  if (result.load) add("  of it waiting", result.load->waiting);
  if (result.first_token) add("to the first token", *result.first_token);
  if (result.per_token) add("each further token", *result.per_token);
  return table.text();
}

std::string load_text(const LoadSummary& load) {
  std::string text = fmt::format(
      "{:g} documents/s arrive; {:.1f} taken together in the mean, at "
      "most {} left waiting",
      load.rate, load.mean_batch, load.queued);
  if (load.unserved > 0) text += fmt::format(", {} never served", load.unserved);
  if (load.overloaded) text += "; OVERLOADED: latencies grow for as long as it lasts";
  return text;
}

}  // namespace

std::string format_seconds(double seconds) {
  if (seconds >= 100) return fmt::format("{:.0f} s", seconds);
  if (seconds >= 10) return fmt::format("{:.1f} s", seconds);
  if (seconds >= 1) return fmt::format("{:.2f} s", seconds);
  return fmt::format("{:.2f} ms", seconds * 1e3);
}

Json times_json(const TimeSummary& times) {
  return {{"count", times.count}, {"average", times.average}, {"deviation", times.deviation},
          {"p50", times.p50},     {"p90", times.p90},         {"p95", times.p95},
          {"p99", times.p99},     {"min", times.min},         {"max", times.max}};
}

Json bench_json(const BenchReport& report, const WorkFlags& work, const BenchmarkOptions& options,
                const Summarizer& summarizer) {
  const BenchmarkResult& result = report.result;
  Json json = {{"model", report.model},
               {"precision", name_of(summarizer.precision())},
               {"engine_bytes", summarizer.engine_bytes()},
               {"instruction_set", summarizer.instruction_set()},
               {"threads", summarizer.threads()},
               {"kv_cache", name_of(summarizer.kv_cache())}};
  json.update(work.json());
  if (options.seconds > 0) {
    json["seconds"] = options.seconds;
  } else {
    json["iterations"] = options.iterations;
  }
  json["warmup"] = options.warmup;
  // The latency by the short names too, as it was before there was more than one kind of time.
  json["avg_time"] = result.latency.average;
  json.update({{"p50", result.latency.p50},
               {"p90", result.latency.p90},
               {"p95", result.latency.p95},
               {"p99", result.latency.p99},
               {"min", result.latency.min},
               {"max", result.latency.max},
               {"throughput", result.throughput},
               {"tokens_per_second", result.tokens_per_second},
               {"peak_memory", result.memory.peak_resident},
               {"latency", times_json(result.latency)}});
  if (result.first_token) json["first_token"] = times_json(*result.first_token);
  if (result.per_token) json["per_token"] = times_json(*result.per_token);
  if (result.load) json["load"] = load_json(*result.load);
  json["cold_start"] = {{"load", report.load_seconds}};
  if (result.cold_first_token > 0) json["cold_start"]["first_token"] = result.cold_first_token;
  json["memory"] = memory_json(result.memory);
  json["cores"] = result.cores;
  if (!result.gpus.empty()) json["gpus"] = gpus_json(result.gpus);
  return json;
}

std::string bench_text(const BenchReport& report, const WorkFlags& work,
                       const BenchmarkOptions& options, const Summarizer& summarizer) {
  const BenchmarkResult& result = report.result;
  std::vector<std::pair<std::string, std::string>> lines{
      {"engine", fmt::format("{} ({}, KV cache {})", report.model, name_of(summarizer.precision()),
                             name_of(summarizer.kv_cache()))},
      {"work", work.text()},
      {"machine",
       fmt::format("{} threads, {}", summarizer.threads(), summarizer.instruction_set())},
      {"measured", fmt::format("{} {} after {} batches to warm up", result.latency.count,
                               result.load ? "documents" : "batches", options.warmup)}};
  if (result.load) lines.emplace_back("load", load_text(*result.load));
  std::string text = key_values(lines) + "\n" + times_table(result) + "\n";

  lines = {
      {"throughput",
       fmt::format("{:.2f} documents/s, {:.1f} {} tokens/s", result.throughput,
                   result.tokens_per_second, options.encoder_only ? "encoder" : "generated")},
      {"processor", fmt::format("{:.2f} of {} cores busy", result.cores, summarizer.threads())}};
  std::string cold = fmt::format("{} to load", format_seconds(report.load_seconds));
  if (result.cold_first_token > 0) {
    cold += fmt::format(", {} from the start of the process to the first token",
                        format_seconds(result.cold_first_token));
  }
  lines.emplace_back("cold start", cold);
  lines.emplace_back(
      "memory",
      fmt::format("{} file, {} weights, {} KV cache, {} resident at most",
                  bytes_text(result.memory.engine), bytes_text(result.memory.weights),
                  bytes_text(result.memory.kv_cache), bytes_text(result.memory.peak_resident)));
  for (const GpuUse& gpu : result.gpus) lines.emplace_back("GPU", gpu_text(gpu));
  return text + key_values(lines);
}

}  // namespace kobolt::cli
