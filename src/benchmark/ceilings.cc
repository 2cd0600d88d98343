#include "benchmark/ceilings.h"

#include <fstream>

namespace kobolt {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string name = "unknown processor";
  std::string family;
  std::string model;
  const auto value = [](const std::string& line) { return line.substr(line.find(':') + 2); };
  for (std::string line; std::getline(file, line) && !line.empty();) {
    if (line.starts_with("model name")) name = value(line);
    if (line.starts_with("cpu family")) family = value(line);
    if (line.starts_with("model\t")) model = value(line);
  }
  return name + ", family " + family + ", model " + model;
}

}  // namespace kobolt

#if defined(__x86_64__)

#include <immintrin.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace kobolt {
namespace {

constexpr int kChains = 12;  // independent sums: more than latency times units anywhere
constexpr std::int64_t kSteps = 2'000'000;
constexpr int kRepetitions = 15;

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Floating-point operations of one run. The loop is written in assembly so that no compiler can
/// spill, reorder or drop a thing.
__attribute__((target("avx2,fma"))) double multiply_add_f32() {
  std::int64_t steps = kSteps;
  asm volatile(
      "vxorps %%ymm13, %%ymm13, %%ymm13\n\t"
      "vxorps %%ymm14, %%ymm14, %%ymm14\n\t"
      "1:\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm0\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm1\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm2\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm3\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm4\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm5\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm6\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm7\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm8\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm9\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm10\n\t"
      "vfmadd231ps %%ymm13, %%ymm14, %%ymm11\n\t"
      "dec %[steps]\n\t"
      "jnz 1b\n\t"
      : [steps] "+r"(steps)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm13", "xmm14");
  return 2.0 * 8 * kChains * kSteps;
}

#define KOBOLT_PAIR(sum)                   \
  "vpmaddwd %%ymm13, %%ymm14, %%ymm12\n\t" \
  "vpaddd %%ymm12, %%ymm" #sum ", %%ymm" #sum "\n\t"

/// Multiplications and additions of one run: vpmaddwd does 16 products and 8 sums, vpaddd 8 more.
__attribute__((target("avx2"))) double multiply_add_i16() {
  std::int64_t steps = kSteps;
  asm volatile(
      "vpxor %%ymm13, %%ymm13, %%ymm13\n\t"
      "vpxor %%ymm14, %%ymm14, %%ymm14\n\t"
      "1:\n\t"  //
      KOBOLT_PAIR(0) KOBOLT_PAIR(1) KOBOLT_PAIR(2) KOBOLT_PAIR(3) KOBOLT_PAIR(4) KOBOLT_PAIR(5)
          KOBOLT_PAIR(6) KOBOLT_PAIR(7) KOBOLT_PAIR(8) KOBOLT_PAIR(9) KOBOLT_PAIR(10)
              KOBOLT_PAIR(11)
      "dec %[steps]\n\t"
      "jnz 1b\n\t"
      : [steps] "+r"(steps)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14");
  return 2.0 * 16 * kChains * kSteps;
}

constexpr std::size_t kReadBytes = std::size_t{64} << 20;  // of each thread: past any cache

/// Bytes read in one run.
__attribute__((target("avx2"))) double read(const std::vector<char>& memory) {
  __m256i sums[4] = {};
  for (std::size_t at = 0; at < kReadBytes; at += 128) {
    const auto* from = reinterpret_cast<const __m256i*>(memory.data() + at);
    for (int i = 0; i < 4; ++i) {
      sums[i] = _mm256_add_epi64(sums[i], _mm256_loadu_si256(from + i));
    }
  }
  const __m256i all =
      _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]), _mm256_add_epi64(sums[2], sums[3]));
  asm volatile("" ::"x"(all));
  return static_cast<double>(kReadBytes);
}

/// Best work per second over repetitions, all threads together. One thread is timed by its own CPU
/// time, so that other programs do not count; several by the wall, because they share.
template <class Work>
double best_rate(unsigned threads, const Work& work) {
  double best = 0.0;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    if (threads == 1) {
      const double begin = seconds(CLOCK_THREAD_CPUTIME_ID);
      const double done = work(0U);
      best = std::max(best, done / (seconds(CLOCK_THREAD_CPUTIME_ID) - begin));
      continue;
    }
    std::atomic<unsigned> ready{0};
    std::vector<double> done(threads);
    std::vector<double> begin(threads);
    std::vector<double> end(threads);
    std::vector<std::thread> pool;
    for (unsigned t = 0; t < threads; ++t) {
      pool.emplace_back([&, t] {
        ++ready;
        while (ready < threads) std::this_thread::yield();
        begin[t] = seconds(CLOCK_MONOTONIC);
        done[t] = work(t);
        end[t] = seconds(CLOCK_MONOTONIC);
      });
    }
    for (std::thread& thread : pool) thread.join();
    double total = 0.0;
    for (const double part : done) total += part;
    const double first = *std::min_element(begin.begin(), begin.end());
    best = std::max(best, total / (*std::max_element(end.begin(), end.end()) - first));
  }
  return best / 1e9;
}

}  // namespace

bool can_measure_ceilings() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}

Ceilings measure_ceilings(unsigned threads) {
  // Written, not only allocated: else every page would be the same page of zeros.
  const std::vector<std::vector<char>> memory(threads, std::vector<char>(kReadBytes, 1));
  return {.fp32 = best_rate(threads, [](unsigned) { return multiply_add_f32(); }),
          .integer = best_rate(threads, [](unsigned) { return multiply_add_i16(); }),
          .read = best_rate(threads, [&](unsigned t) { return read(memory[t]); })};
}

}  // namespace kobolt

#else

namespace kobolt {

bool can_measure_ceilings() { return false; }
Ceilings measure_ceilings(unsigned) { return {}; }

}  // namespace kobolt

#endif
