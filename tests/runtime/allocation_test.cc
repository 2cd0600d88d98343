#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include "compile/compile_to_memory.h"
#include "runtime/engine.h"
#include "runtime/generate.h"

// A program of its own, because it replaces the global allocation functions with counting ones.
namespace {

std::atomic<long> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  allocations.fetch_add(1);
  const std::size_t rounded =
      (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, rounded);
}

void* counted_or_throw(std::size_t size, std::size_t alignment) {
  void* memory = counted(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

constexpr std::size_t kDefault = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

}  // namespace

// Those that are not here (arrays, sizes) call one of these.
void* operator new(std::size_t size) { return counted_or_throw(size, kDefault); }
void* operator new(std::size_t size, const std::nothrow_t& /*no*/) noexcept {
  return counted(size, kDefault);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment,
                   const std::nothrow_t& /*no*/) noexcept {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}

namespace kobolt {
namespace {

/// An engine that looks at the counter when a step begins and when it ends.
class Watched : public Backend {
 public:
  explicit Watched(Engine& engine) : engine_(engine) {}

  [[nodiscard]] int vocab_size() const override { return engine_.vocab_size(); }
  [[nodiscard]] int max_positions() const override { return engine_.max_positions(); }
  std::vector<DocumentHandle> encode(std::span<const std::vector<std::int32_t>> documents,
                                     int max_rows, int max_length) override {
    documents_change_ = true;
    return engine_.encode(documents, max_rows, max_length);
  }
  void step(std::span<const StepRow> rows, std::span<float> logits) override {
    begin();
    engine_.step(rows, logits);
    end();
  }
  void step_summary(std::span<const StepRow> rows, int count,
                    std::span<LogitSummary> summaries) override {
    begin();
    engine_.step_summary(rows, count, summaries);
    end();
  }
  void logits_of(std::size_t row, std::span<float> logits) override {
    engine_.logits_of(row, logits);
  }
  void release(DocumentHandle document) override {
    documents_change_ = true;
    engine_.release(document);
  }

  int steps = 0;
  long inside = 0;   ///< allocations in the engine's steps
  long between = 0;  ///< those of the search, between two steps of the same documents

 private:
  void begin() {
    // A document that leaves hands out its results, one that enters gets its caches and its search:
    // memory that outlives the step.
    if (!documents_change_) between += allocations.load() - last_;
    documents_change_ = false;
    last_ = allocations.load();
  }
  void end() {
    ++steps;
    inside += allocations.load() - last_;
    last_ = allocations.load();
  }

  Engine& engine_;
  bool documents_change_ = true;
  long last_ = 0;
};

struct Case {
  std::string name;
  Precision precision;
  KvCache kv_cache;
  int beams;
  bool all_logits = false;  ///< a setting that needs them
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Precision precision :
       {Precision::fp32, Precision::fp16, Precision::bf16, Precision::int8, Precision::int4}) {
    for (const KvCache cache : {KvCache::fp32, KvCache::fp16, KvCache::int8}) {
      for (const int beams : {1, 4}) {
        const std::string name = std::string(name_of(precision)) + "_cache_" +
                                 std::string(name_of(cache)) + "_beams_" + std::to_string(beams);
        all.push_back({name, precision, cache, beams});
        all.push_back({name + "_all_logits", precision, cache, beams, true});
      }
    }
  }
  return all;
}

class DecodeLoop : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Settings, DecodeLoop, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

TEST_P(DecodeLoop, AllocatesNothing) {
  for (const std::string checkpoint : {"bart", "pegasus"}) {
    const auto folder = std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / checkpoint;
    const auto file = compile_to_memory(Model::load(folder), {.precision = GetParam().precision});
    ThreadPool pool(3);
    Engine engine(file, pool, GetParam().kv_cache);
    std::vector<std::vector<std::int32_t>> documents = {{1, 2, 3, 4, 5}, {6, 7}, {9, 8, 7}};
    GenerationConfig config = file->metadata().generation;
    config.num_beams = GetParam().beams;
    config.max_length = 20;
    config.min_length = 14;
    config.no_repeat_ngram_size = 2;
    if (GetParam().all_logits) config.repetition_penalty = 1.3F;
    // Warm-up: the first step of an engine sizes what depends on the number of candidates.
    // Two places for three documents: one enters in mid-decode.
    const GenerateOptions options{.max_rows = 2 * GetParam().beams};
    (void)generate(engine, documents, config, options);

    Watched watched(engine);
    (void)generate(watched, documents, config, options);
    EXPECT_GE(watched.steps, 20) << checkpoint;
    EXPECT_EQ(watched.inside, 0) << checkpoint;
    EXPECT_EQ(watched.between, 0) << checkpoint;
  }
}

TEST(Counter, SeesAllocationsOfEveryKind) {
  const long before = allocations.load();
  { const std::vector<int> plain(10); }
  { const AlignedVector<float> aligned(10); }
  EXPECT_EQ(allocations.load() - before, 2);
}

}  // namespace
}  // namespace kobolt
