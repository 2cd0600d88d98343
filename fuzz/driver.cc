// Runs a fuzz target without libFuzzer: every file of the folders given, then a number of random
// mutations of them. The same seed gives the same inputs; a crash says how to repeat it alone.
//
//   NAME_fuzz CORPUS... [--mutations N] [--seed N] [--only INDEX]

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// There in sanitized builds only.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

struct Settings {
  std::vector<fs::path> corpora;
  std::uint64_t mutations = 2000;
  std::uint64_t seed = 1;
  std::uint64_t only = 0;  // run this mutation alone, counted from 1; 0 = all
};

std::size_t below(Random& random, std::size_t limit) { return random() % limit; }

// Values on which length and offset checks break.
constexpr std::uint64_t kEdges[] = {0,
                                    1,
                                    0x7F,
                                    0x80,
                                    0xFF,
                                    0x7FFF,
                                    0xFFFF,
                                    0x7FFFFFFF,
                                    0x80000000,
                                    0xFFFFFFFF,
                                    0x7FFFFFFFFFFFFFFF,
                                    0xFFFFFFFFFFFFFFFF};

void write_edge(Bytes& bytes, Random& random) {
  std::uint64_t value = kEdges[below(random, std::size(kEdges))];
  const std::size_t width = std::size_t{1} << below(random, 4);
  const std::size_t at = below(random, bytes.size());
  std::memcpy(bytes.data() + at, &value, std::min(width, bytes.size() - at));
}

void mutate_once(Bytes& bytes, const std::vector<Bytes>& seeds, Random& random) {
  if (bytes.empty()) bytes.push_back(static_cast<std::uint8_t>(random()));
  const std::size_t at = below(random, bytes.size());
  const auto position = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  const std::size_t length = 1 + below(random, std::min<std::size_t>(bytes.size() - at, 64));
  switch (below(random, 8)) {
    case 0:
      bytes[at] ^= static_cast<std::uint8_t>(1U << below(random, 8));
      break;
    case 1:
      bytes[at] = static_cast<std::uint8_t>(random());
      break;
    case 2:
      write_edge(bytes, random);
      break;
    case 3:
      bytes.resize(at);
      break;
    case 4:
      bytes.erase(position, position + static_cast<std::ptrdiff_t>(length));
      break;
    case 5: {
      const Bytes piece(position, position + static_cast<std::ptrdiff_t>(length));
      bytes.insert(position, piece.begin(), piece.end());
      break;
    }
    case 6: {
      const Bytes noise(length, static_cast<std::uint8_t>(random()));
      bytes.insert(position, noise.begin(), noise.end());
      break;
    }
    default: {
      // The beginning of one seed, the end of another.
      const Bytes& other = seeds[below(random, seeds.size())];
      if (other.empty()) break;
      const auto from = other.begin() + static_cast<std::ptrdiff_t>(below(random, other.size()));
      bytes.resize(at);
      bytes.insert(bytes.end(), from, other.end());
      break;
    }
  }
}

Bytes mutate(const std::vector<Bytes>& seeds, std::uint64_t seed) {
  Random random(seed);
  Bytes bytes = seeds[below(random, seeds.size())];
  for (std::size_t count = 1 + below(random, 6); count > 0; --count) {
    mutate_once(bytes, seeds, random);
  }
  return bytes;
}

std::vector<Bytes> read_seeds(const Settings& settings) {
  std::vector<fs::path> files;
  for (const fs::path& corpus : settings.corpora) {
    if (!fs::is_directory(corpus)) {
      files.push_back(corpus);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(corpus)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Bytes> seeds;
  for (const fs::path& file : files) {
    std::ifstream input(file, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(input), std::istreambuf_iterator<char>());
    if (!input.good() && !input.eof()) {
      std::fprintf(stderr, "cannot read %s\n", file.c_str());
      std::exit(2);
    }
  }
  return seeds;
}

Settings parse(int argc, char** argv) {
  Settings settings;
  const auto number = [&](int& i, std::uint64_t& value) {
    const std::string_view text = ++i < argc ? argv[i] : "";
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
      std::fprintf(stderr, "%s needs a number\n", argv[i - 1]);
      std::exit(2);
    }
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--mutations") {
      number(i, settings.mutations);
    } else if (argument == "--seed") {
      number(i, settings.seed);
    } else if (argument == "--only") {
      number(i, settings.only);
    } else {
      settings.corpora.emplace_back(argument);
    }
  }
  return settings;
}

// What is running now, as the command line that repeats it.
char g_repeat[128];
std::atomic<std::size_t> g_repeat_size{0};

void say_how_to_repeat() { (void)!::write(STDERR_FILENO, g_repeat, g_repeat_size.load()); }

void on_signal(int number) {
  say_how_to_repeat();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void catch_crashes() {
  std::signal(SIGABRT, on_signal);
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(say_how_to_repeat);
    return;
  }
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, on_signal);
}

void run(const Bytes& bytes, const char* option, std::uint64_t index, std::uint64_t seed) {
  const int size = std::snprintf(
      g_repeat, sizeof g_repeat, "\ncrashed; repeat with: CORPUS %s %llu --seed %llu\n", option,
      static_cast<unsigned long long>(index), static_cast<unsigned long long>(seed));
  g_repeat_size = static_cast<std::size_t>(size);
  // A copy of exactly this size: the address sanitizer then sees every read past the end.
  const Bytes exact(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings = parse(argc, argv);
  const std::vector<Bytes> seeds = read_seeds(settings);
  if (seeds.empty()) {
    std::fprintf(stderr, "no seeds: give a folder of them\n");
    return 2;
  }
  catch_crashes();
  if (settings.only == 0) {
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      run(seeds[i], "--mutations 0 # file", i + 1, settings.seed);
    }
  }
  for (std::uint64_t i = 1; i <= settings.mutations; ++i) {
    if (settings.only != 0 && i != settings.only) continue;
    run(mutate(seeds, settings.seed * 0x9E3779B97F4A7C15U + i), "--only", i, settings.seed);
  }
  std::printf("%zu seeds and %llu mutations (seed %llu) survived\n", seeds.size(),
              static_cast<unsigned long long>(settings.mutations),
              static_cast<unsigned long long>(settings.seed));
  return 0;
}
