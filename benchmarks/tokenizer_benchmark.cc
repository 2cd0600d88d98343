// Encodes and decodes the Korean dialogues of ../shared/data with the KoBART tokenizer, one core.
// The target is 20 MB/s of text. Times are processor time, so that a shared machine disturbs less.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "kobolt/tokenizer.h"

namespace {

const std::filesystem::path shared =
    std::filesystem::path(KOBOLT_SOURCE_DIR).parent_path() / "shared";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::vector<std::string> dialogues() {
  std::vector<std::string> documents;
  std::ifstream lines(shared / "data" / "dialogue-train.jsonl");
  for (std::string line; std::getline(lines, line);) {
    documents.push_back(nlohmann::json::parse(line).at("document"));
  }
  return documents;
}

kobolt::TokenizerFiles files_of(const std::string& model) {
  return {{"tokenizer.json", read_file(shared / "models" / model / "tokenizer.json")}};
}

/// Whether there is something to measure.
bool found(benchmark::State& state, const kobolt::TokenizerFiles& files,
           const std::vector<std::string>& documents) {
  if (!documents.empty() && !files.begin()->second.empty()) return true;
  state.SkipWithError("../shared is not there");
  return false;
}

void encode(benchmark::State& state, const std::string& model) {
  const auto files = files_of(model);
  const auto documents = dialogues();
  if (!found(state, files, documents)) return;
  const auto tokenizer = kobolt::Tokenizer::load(files, kobolt::Family::bart);
  std::size_t bytes = 0;
  for (const std::string& document : documents) bytes += document.size();
  for ([[maybe_unused]] const auto _ : state) {
    for (const std::string& document : documents) {
      benchmark::DoNotOptimize(tokenizer.encode(document));
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

void decode(benchmark::State& state, const std::string& model) {
  const auto files = files_of(model);
  const auto documents = dialogues();
  if (!found(state, files, documents)) return;
  const auto tokenizer = kobolt::Tokenizer::load(files, kobolt::Family::bart);
  std::vector<std::vector<std::int32_t>> ids;
  std::size_t bytes = 0;
  for (const std::string& document : documents) {
    ids.push_back(tokenizer.encode(document));
    bytes += tokenizer.decode(ids.back()).size();
  }
  for ([[maybe_unused]] const auto _ : state) {
    for (const auto& document : ids) benchmark::DoNotOptimize(tokenizer.decode(document));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

void load(benchmark::State& state, const std::string& model) {
  const auto files = files_of(model);
  if (!found(state, files, {""})) return;
  for ([[maybe_unused]] const auto _ : state) {
    benchmark::DoNotOptimize(kobolt::Tokenizer::load(files, kobolt::Family::bart));
  }
}

BENCHMARK_CAPTURE(encode, kobart, std::string("kobart-dialogue"))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, deb_bart, std::string("deb-bart"))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode, kobart, std::string("kobart-dialogue"))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(load, kobart, std::string("kobart-dialogue"))->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
