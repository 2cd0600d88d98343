#include "runtime/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kobolt/error.h"

namespace kobolt {
namespace {

using Tokens = std::vector<std::int32_t>;

void check_documents(std::span<const Tokens> documents, int most) {
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::size_t size = documents[i].size();
    if (size > 0 && size <= static_cast<std::size_t>(most)) continue;
    throw Error(ErrorKind::invalid_argument, "the model cannot read a document of this length",
                {.field = fmt::format("document {}", i + 1),
                 .found = fmt::format("{} tokens", size),
                 .expected = fmt::format("1 to {}", most)});
  }
}

}  // namespace

Generation::Generation(std::span<const Tokens> documents, const GenerationConfig& config,
                       const Backend& backend, GenerateOptions options)
    : documents_(documents),
      plan_(make_generation_plan(config, backend.vocab_size(), backend.max_positions())),
      options_(std::move(options)),
      waiting_(documents),
      results_(documents.size()) {
  check_documents(documents, backend.max_document());
  if (options_.max_rows < 1) {
    throw Error(
        ErrorKind::invalid_argument, "a step needs rows",
        {.field = "max_rows", .found = fmt::to_string(options_.max_rows), .expected = "1 or more"});
  }
}

std::size_t Generation::rows() const {
  return documents_.size() * static_cast<std::size_t>(plan_.width);
}

std::size_t Generation::places(int streams) const {
  const auto most = static_cast<std::size_t>(std::max(1, options_.max_rows / plan_.width));
  if (streams <= 1) return most;
  // As many for each stream, or one would go on alone.
  const auto all = static_cast<std::size_t>(streams);
  const auto divided = [](std::size_t count, std::size_t by) { return (count + by - 1) / by; };
  const std::size_t turns = std::max<std::size_t>(1, divided(documents_.size(), all * most));
  return std::max<std::size_t>(1, divided(documents_.size(), all * turns));
}

void Generation::report() {
  const std::size_t done = done_.load(std::memory_order_relaxed);
  if (options_.progress && done != reported_) options_.progress(reported_ = done);
}

void Generation::run(Backend& backend, int streams, const DecodingStream::Calls& calls) {
  try {
    DecodingStream(backend, documents_, plan_, places(streams), waiting_, results_, calls).run();
  } catch (...) {
    waiting_.stop();
    throw;
  }
}

void Generation::work(Backend& backend, int streams) {
  const auto finished = [this] {
    done_.fetch_add(1, std::memory_order_relaxed);
    report();
  };
  const auto stepped = [this] {
    report();  // of the others
    if (options_.on_step) options_.on_step();
  };
  run(backend, streams,
      {.trace = options_.trace, .finished = finished, .stepped = stepped, .leaving = {}});
}

void Generation::help(Backend& backend, int streams, const std::function<bool()>& leaving) {
  const auto finished = [this] { done_.fetch_add(1, std::memory_order_relaxed); };
  run(backend, streams,
      {.trace = nullptr, .finished = finished, .stepped = {}, .leaving = leaving});
}

std::vector<std::vector<GeneratedSequence>> Generation::results() {
  report();
  return std::move(results_);
}

std::vector<std::vector<GeneratedSequence>> generate(Backend& backend,
                                                     std::span<const Tokens> documents,
                                                     const GenerationConfig& config,
                                                     const GenerateOptions& options) {
  Generation generation(documents, config, backend, options);
  generation.work(backend);
  return generation.results();
}

}  // namespace kobolt
