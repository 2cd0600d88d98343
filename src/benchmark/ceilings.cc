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
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <thread>
#include <vector>

#include "base/aligned.h"

namespace kobolt {
namespace {

constexpr int kChains = 12;  // independent sums: more than latency times units anywhere

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The loops are written in assembly so that no compiler can spill, reorder or drop a thing.
// `v` is "ymm" or "zmm"; registers 13 and 14 are factors, 12 is a temporary.
#define KOBOLT_TWELVE(step, v)                                                            \
  step(v, 0) step(v, 1) step(v, 2) step(v, 3) step(v, 4) step(v, 5) step(v, 6) step(v, 7) \
      step(v, 8) step(v, 9) step(v, 10) step(v, 11)
#define KOBOLT_LOOP(step, v) \
  asm volatile("vpxor %%ymm13, %%ymm13, %%ymm13\n\t"                                            \
               "vpxor %%ymm14, %%ymm14, %%ymm14\n\t"                                            \
               "1:\n\t" KOBOLT_TWELVE(step, v) "dec %[steps]\n\t"                               \
                                               "jnz 1b\n\t"                                    \
               : [steps] "+r"(steps)                                                            \
               :                                                                                \
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", \
                 "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14")
#define KOBOLT_FMA(v, sum) "vfmadd231ps %%" v "13, %%" v "14, %%" v #sum "\n\t"
#define KOBOLT_BF16(v, sum) "vdpbf16ps %%" v "13, %%" v "14, %%" v #sum "\n\t"
#define KOBOLT_PAIRS(v, sum)            \
  "vpmaddwd %%" v "13, %%" v "14, %%" v \
  "12\n\t"                              \
  "vpaddd %%" v "12, %%" v #sum ", %%" v #sum "\n\t"
#define KOBOLT_VNNI_PAIRS(v, sum) "vpdpwssd %%" v "13, %%" v "14, %%" v #sum "\n\t"
#define KOBOLT_VNNI_BYTES(v, sum) "vpdpbusd %%" v "13, %%" v "14, %%" v #sum "\n\t"

// The same with operands from memory at `a`, which stays in L1: tiles of 8 rows by 3 vectors (AVX2:
// 6 by 2), one input a step. Every other value of the rows is loaded and repeated by itself.
// Sums begin with 0: what registers hold may be numbers that take long to add.
#define KOBOLT_LOADED_LOOP(zero, tile)                                                           \
  asm volatile("vzeroall\n\t" zero "1:\n\t" tile                                                 \
               "dec %[steps]\n\t"                                                                \
               "jnz 1b\n\t"                                                                      \
               : [steps] "+r"(steps)                                                             \
               : [a] "r"(kOperands.data())                                                       \
               : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", \
                 "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",                             \
                 "xmm14" KOBOLT_LOADED_CLOBBERS)
#define KOBOLT_ZERO(sum) "vpxord %%zmm" #sum ", %%zmm" #sum ", %%zmm" #sum "\n\t"
#define KOBOLT_ZERO_512 \
  KOBOLT_ZERO(16)       \
  KOBOLT_ZERO(17)       \
  KOBOLT_ZERO(18) KOBOLT_ZERO(19) KOBOLT_ZERO(20) KOBOLT_ZERO(21) KOBOLT_ZERO(22) KOBOLT_ZERO(23)
#define KOBOLT_PANELS_512          \
  "vmovups 64(%[a]), %%zmm24\n\t"  \
  "vmovups 128(%[a]), %%zmm25\n\t" \
  "vmovups 192(%[a]), %%zmm26\n\t"
#define KOBOLT_ROW_512(broadcast, multiply, at, s0, s1, s2)                                       \
  broadcast " " #at "(%[a]), %%zmm27\n\t" multiply " %%zmm24, %%zmm27, %%zmm" #s0 "\n\t" multiply \
            " %%zmm25, %%zmm27, %%zmm" #s1 "\n\t" multiply " %%zmm26, %%zmm27, %%zmm" #s2 "\n\t"
#define KOBOLT_ROW_IN_MEMORY(at, s0, s1, s2)               \
  "vfmadd231ps " #at "(%[a])%{1to16%}, %%zmm24, %%zmm" #s0 \
  "\n\t"                                                   \
  "vfmadd231ps " #at "(%[a])%{1to16%}, %%zmm25, %%zmm" #s1 \
  "\n\t"                                                   \
  "vfmadd231ps " #at "(%[a])%{1to16%}, %%zmm26, %%zmm" #s2 "\n\t"
#define KOBOLT_FLOAT_ROWS(first, second, s0, s1, s2, s3, s4, s5)   \
  KOBOLT_ROW_512("vbroadcastss", "vfmadd231ps", first, s0, s1, s2) \
  KOBOLT_ROW_IN_MEMORY(second, s3, s4, s5)
#define KOBOLT_BYTE_ROWS(first, second, s0, s1, s2, s3, s4, s5) \
  KOBOLT_ROW_512("vpbroadcastd", "vpdpbusd", first, s0, s1, s2) \
  KOBOLT_ROW_512("vpbroadcastd", "vpdpbusd", second, s3, s4, s5)
#define KOBOLT_TILE_512(rows)                                                    \
  KOBOLT_PANELS_512 rows(0, 4, 0, 1, 2, 3, 4, 5) rows(8, 12, 6, 7, 8, 9, 10, 11) \
      rows(16, 20, 12, 13, 14, 15, 16, 17) rows(24, 28, 18, 19, 20, 21, 22, 23)
#define KOBOLT_ROW_256(at, s0, s1)          \
  "vbroadcastss " #at                       \
  "(%[a]), %%ymm14\n\t"                     \
  "vfmadd231ps %%ymm12, %%ymm14, %%ymm" #s0 \
  "\n\t"                                    \
  "vfmadd231ps %%ymm13, %%ymm14, %%ymm" #s1 "\n\t"
#define KOBOLT_TILE_256                                                           \
  "vmovups 64(%[a]), %%ymm12\n\t"                                                 \
  "vmovups 96(%[a]), %%ymm13\n\t" KOBOLT_ROW_256(0, 0, 1) KOBOLT_ROW_256(4, 2, 3) \
      KOBOLT_ROW_256(8, 4, 5) KOBOLT_ROW_256(12, 6, 7) KOBOLT_ROW_256(16, 8, 9)   \
          KOBOLT_ROW_256(20, 10, 11)

/// Of the loops with operands: zeros, whose products are no slower or faster than others.
alignas(64) constexpr std::array<float, 64> kOperands{};

using Loop = void (*)(std::int64_t steps);

__attribute__((target("avx2,fma"))) void fma_avx2(std::int64_t steps) {
  KOBOLT_LOOP(KOBOLT_FMA, "ymm");
}
__attribute__((target("avx2,fma"))) void pairs_avx2(std::int64_t steps) {
  KOBOLT_LOOP(KOBOLT_PAIRS, "ymm");
}
__attribute__((target("avx512bw"))) void fma_avx512(std::int64_t steps) {
  KOBOLT_LOOP(KOBOLT_FMA, "zmm");
}
__attribute__((target("avx512bw"))) void pairs_avx512(std::int64_t steps) {
  KOBOLT_LOOP(KOBOLT_PAIRS, "zmm");
}
__attribute__((target("avx512bf16"))) void bf16_avx512(std::int64_t steps) {
  KOBOLT_LOOP(KOBOLT_BF16, "zmm");
}
__attribute__((target("avx512vnni"))) void pairs_vnni(std::int64_t steps) {
  KOBOLT_LOOP(KOBOLT_VNNI_PAIRS, "zmm");
}
__attribute__((target("avx512vnni"))) void bytes_vnni(std::int64_t steps) {
  KOBOLT_LOOP(KOBOLT_VNNI_BYTES, "zmm");
}
#define KOBOLT_LOADED_CLOBBERS
__attribute__((target("avx2,fma"))) void loaded_fma_avx2(std::int64_t steps) {
  KOBOLT_LOADED_LOOP("", KOBOLT_TILE_256);
}
#undef KOBOLT_LOADED_CLOBBERS
#define KOBOLT_LOADED_CLOBBERS                                                                \
  , "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", \
      "xmm25", "xmm26", "xmm27"
__attribute__((target("avx512bw"))) void loaded_fma_avx512(std::int64_t steps) {
  KOBOLT_LOADED_LOOP(KOBOLT_ZERO_512, KOBOLT_TILE_512(KOBOLT_FLOAT_ROWS));
}
__attribute__((target("avx512vnni"))) void loaded_bytes_vnni(std::int64_t steps) {
  KOBOLT_LOADED_LOOP(KOBOLT_ZERO_512, KOBOLT_TILE_512(KOBOLT_BYTE_ROWS));
}

/// The loops of an instruction set; one float, pair or quad of bytes is 32 bits. Null where it has
/// no such instruction.
struct Loops {
  std::string_view set;
  int lanes;
  Loop fp32;
  Loop bf16;
  Loop pairs;
  Loop bytes;
  int loaded_sums;  // of a step of the loops that load
  Loop loaded_fp32;
  Loop loaded_bytes;
};
constexpr std::array<Loops, 4> kLoops = {{
    {"AVX512_BF16", 16, fma_avx512, bf16_avx512, pairs_vnni, bytes_vnni, 24, loaded_fma_avx512,
     loaded_bytes_vnni},
    {"AVX512_VNNI", 16, fma_avx512, nullptr, pairs_vnni, bytes_vnni, 24, loaded_fma_avx512,
     loaded_bytes_vnni},
    {"AVX512", 16, fma_avx512, nullptr, pairs_avx512, nullptr, 24, loaded_fma_avx512, nullptr},
    {"AVX2", 8, fma_avx2, nullptr, pairs_avx2, nullptr, 12, loaded_fma_avx2, nullptr},
}};

/// Memory a page at a time: the vector has no time to spend on single bytes, and writes none.
struct Page {
  char bytes[4096];
};
using ReadMemory = AlignedVector<Page>;

/// For each thread its own. Written, not only allocated: else every page would be the same page of
/// zeros. In large pages, as engines hold their weights.
std::vector<ReadMemory> filled_memory(unsigned threads, std::size_t bytes) {
  std::vector<ReadMemory> memory(threads);
  for (ReadMemory& pages : memory) {
    pages.resize(std::max<std::size_t>(1, bytes / threads / sizeof(Page)));
    std::memset(pages.data(), 1, pages.size() * sizeof(Page));
  }
  return memory;
}

/// Bytes read in one run.
__attribute__((target("avx2"))) double read(const ReadMemory& memory) {
  __m256i sums[4] = {};
  const std::size_t size = memory.size() * sizeof(Page);
  const char* bytes = memory.data()->bytes;
  for (std::size_t at = 0; at < size; at += 128) {
    const auto* from = reinterpret_cast<const __m256i*>(bytes + at);
    for (int i = 0; i < 4; ++i) {
      sums[i] = _mm256_add_epi64(sums[i], _mm256_loadu_si256(from + i));
    }
  }
  const __m256i all =
      _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]), _mm256_add_epi64(sums[2], sums[3]));
  asm volatile("" ::"x"(all));
  return static_cast<double>(size);
}

/// Work per second, all threads together, in units of 1e9. One thread is timed by its own CPU time,
/// so that other programs do not count; several by the wall, because they share.
template <class Work>
double rate_once(unsigned threads, const Work& work) {
  if (threads == 1) {
    const double begin = seconds(CLOCK_THREAD_CPUTIME_ID);
    const double done = work(0U);
    return done / (seconds(CLOCK_THREAD_CPUTIME_ID) - begin) / 1e9;
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
  const double total = std::accumulate(done.begin(), done.end(), 0.0);
  return total / (*std::ranges::max_element(end) - *std::ranges::min_element(begin)) / 1e9;
}

template <class Work>
std::vector<double> rates(unsigned threads, int repetitions, const Work& work) {
  std::vector<double> found(static_cast<std::size_t>(repetitions));
  for (double& rate : found) rate = rate_once(threads, work);
  return found;
}

}  // namespace

std::span<const std::string_view> measurable_sets() {
  static const std::vector<std::string_view> sets = [] {
    std::vector<std::string_view> found;
    const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512bw") != 0;
    const bool vnni = avx512 && __builtin_cpu_supports("avx512vnni") != 0;
    if (vnni && __builtin_cpu_supports("avx512bf16") != 0) found.push_back("AVX512_BF16");
    if (vnni) found.push_back("AVX512_VNNI");
    if (avx512) found.push_back("AVX512");
    if (avx2) found.push_back("AVX2");
    return found;
  }();
  return sets;
}

std::vector<double> read_rates(unsigned threads, int passes, std::size_t bytes) {
  const std::vector<ReadMemory> memory = filled_memory(threads, bytes);
  return rates(threads, passes, [&](unsigned t) { return read(memory[t]); });
}

Ceilings measure_ceilings(std::string_view set, unsigned threads, const CeilingEffort& effort) {
  const Loops& loops = *std::ranges::find(kLoops, set, &Loops::set);
  const auto best = [&](Loop loop, int operations, int sums = kChains) {
    if (loop == nullptr) return 0.0;
    return std::ranges::max(rates(threads, effort.repetitions, [&](unsigned) {
      loop(effort.steps);
      return static_cast<double>(operations) * loops.lanes * sums *
             static_cast<double>(effort.steps);
    }));
  };
  return {.fp32 = best(loops.fp32, 2),
          .bf16 = best(loops.bf16, 4),
          .pairs = best(loops.pairs, 4),
          .bytes = best(loops.bytes, 8),
          .read = std::ranges::max(read_rates(threads, effort.repetitions, effort.read_bytes)),
          .fp32_loaded = best(loops.loaded_fp32, 2, loops.loaded_sums),
          .bytes_loaded = best(loops.loaded_bytes, 8, loops.loaded_sums)};
}

}  // namespace kobolt

#else

namespace kobolt {

std::span<const std::string_view> measurable_sets() { return {}; }
std::vector<double> read_rates(unsigned, int, std::size_t) { return {}; }
Ceilings measure_ceilings(std::string_view, unsigned, const CeilingEffort&) { return {}; }

}  // namespace kobolt

#endif
