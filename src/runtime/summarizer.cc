#include "kobolt/summarizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/machine.h"
#include "compile/compile_to_memory.h"
#include "format/engine_file.h"
#include "kernels/kernels.h"
#include "kobolt/error.h"
#include "runtime/engine.h"
#include "runtime/generate.h"
#include "runtime/later_large_pages.h"
#include "runtime/long_document.h"
#include "runtime/open_foreign.h"
#include "runtime/streams.h"
#include "runtime/thread_pool.h"
#include "runtime/torch_component.h"
#include "runtime/trace_scope.h"

namespace kobolt {
namespace {

std::shared_ptr<const EngineFile> open_engine(const std::filesystem::path& path,
                                              const CompileOptions& compile) {
  if (std::filesystem::is_directory(path)) return compile_to_memory(Model::load(path), compile);
  return EngineFile::open(path);
}

/// Fewer rows a stream, and reading the weights for each of them costs more than streams gain by
/// not waiting for each other.
constexpr std::size_t kLeastRows = 32;

}  // namespace

class Summarizer::Impl {
 public:
  Impl(const std::shared_ptr<const EngineFile>& engine_file, const EngineOptions& options)
      : metadata(engine_file->metadata()),
        file(engine_file),
        workers(options.workers ? options.workers
                                : std::make_shared<Workers>(WorkersOptions{
                                      .threads = options.threads, .pin = options.pin})),
        pool(workers->pool_.get()),
        large_pages(engine_file->mapping(), options.pages) {
    auto own = std::make_unique<Engine>(engine_file, *pool, options.kv_cache);
    engine = own.get();
    backend = std::move(own);
  }
  Impl(ForeignModel model, const EngineOptions& options)
      : metadata(std::move(model.metadata)),
        foreign(std::move(model)),
        foreign_threads(options.threads > 0 ? options.threads : usable_cores()),
        large_pages(nullptr, Pages::mapped),
        backend(std::move(foreign.backend)) {}

  static std::unique_ptr<Impl> open(const std::filesystem::path& path, const EngineOptions& options,
                                    const CompileOptions& compile) {
    if (auto foreign = open_foreign(path, options)) {
      return std::make_unique<Impl>(std::move(*foreign), options);
    }
    auto engine = open_engine(path, compile);
    if (engine->find(kTensorRTSection) != nullptr) {
      engine.reset();
      return std::make_unique<Impl>(open_tensorrt(path, options.threads), options);
    }
    return std::make_unique<Impl>(std::move(engine), options);
  }

  static std::unique_ptr<Impl> of_model(const Model& model, const EngineOptions& options,
                                        const CompileOptions& compile) {
    switch (options.backend) {
      case EngineBackend::torch:
        return std::make_unique<Impl>(require_torch().eager(model, options.threads), options);
      case EngineBackend::onnxruntime:
        throw Error(ErrorKind::invalid_argument,
                    "ONNX Runtime runs exported graphs, no model in memory",
                    {.field = "backend", .hint = "export_onnx() writes them"});
      case EngineBackend::automatic:
        break;
    }
    return std::make_unique<Impl>(compile_to_memory(model, compile), options);
  }

  const Tokenizer& get_tokenizer() {
    if (!tokenizer) {
      tokenizer.emplace(Tokenizer::load(file ? file->tokenizer_files() : foreign.tokenizer,
                                        metadata.config.family));
    }
    return *tokenizer;
  }

  /// Held for as long as the own engine computes; others have their own threads.
  [[nodiscard]] std::optional<ThreadPool::Turn> turn() const {
    using MaybeTurn = std::optional<ThreadPool::Turn>;
    return pool == nullptr ? MaybeTurn() : MaybeTurn(std::in_place, *pool);
  }

  /// How many streams share work of `rows` rows: as many as threads, if each has enough to do.
  /// What a trace shows are the threads of a single one.
  [[nodiscard]] int streams(std::size_t rows) const {
    if (pool == nullptr || trace != nullptr) return 1;
    const auto most = static_cast<int>(std::min<std::size_t>(rows / kLeastRows, kMostStreams));
    return std::max(1, std::min(pool->threads(), most));
  }

  EngineMetadata metadata;
  // Of Kobolt's own engine; null for another.
  std::shared_ptr<const EngineFile> file;
  std::shared_ptr<Workers> workers;
  ThreadPool* pool = nullptr;
  Engine* engine = nullptr;
  // Of another.
  ForeignModel foreign;
  int foreign_threads = 0;

  LaterLargePages large_pages;
  std::unique_ptr<Backend> backend;
  Trace* trace = nullptr;
  std::optional<Tokenizer> tokenizer;  // made when first asked for: token ids need none
};

Summarizer::Summarizer(const std::filesystem::path& engine_or_checkpoint,
                       const EngineOptions& options, const CompileOptions& compile)
    : impl_(Impl::open(engine_or_checkpoint, options, compile)) {}
Summarizer::Summarizer(const Model& model, const EngineOptions& options,
                       const CompileOptions& compile)
    : impl_(Impl::of_model(model, options, compile)) {}
Summarizer::Summarizer(Summarizer&&) noexcept = default;
Summarizer& Summarizer::operator=(Summarizer&&) noexcept = default;
Summarizer::~Summarizer() = default;

std::vector<Summary> Summarizer::generate(std::span<const std::vector<std::int32_t>> documents,
                                          const SummarizeOptions& options) {
  const auto turn = impl_->turn();
  int rows = 0;  // of a step, known when the generation is made
  GenerateOptions generate_options{
      .max_rows = options.max_rows, .trace = impl_->trace, .on_step = [&] {
        impl_->large_pages.step(rows);
        if (options.on_step) options.on_step();
      }};
  if (options.progress) {
    generate_options.progress = [&](std::size_t done) {
      options.progress({.done = done, .total = documents.size()});
    };
  }
  Generation generation(documents, options.generation, *impl_->backend,
                        std::move(generate_options));
  rows = static_cast<int>(
      std::min(generation.rows(), static_cast<std::size_t>(std::max(options.max_rows, 1))));
  const int streams = impl_->streams(generation.rows());
  if (streams == 1) {
    generation.work(*impl_->backend);
  } else {
    impl_->engine->reserve_siblings(streams);
    const ThreadPool& pool = *impl_->pool;
    run_streams(*impl_->pool, streams, [&](int stream) {
      Engine& engine = impl_->engine->sibling(stream);
      if (stream == 0) {
        generation.work(engine, streams);
      } else {
        generation.help(engine, streams, [&] { return pool.turn_wanted(); });
      }
    });
  }
  auto generated = generation.results();
  std::vector<Summary> summaries(documents.size());
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    for (std::size_t j = 0; j < generated[i].size(); ++j) {
      Summary& summary = j == 0 ? summaries[i] : summaries[i].alternatives.emplace_back();
      summary.tokens = std::move(generated[i][j].tokens);
      summary.score = generated[i][j].score;
    }
  }
  return summaries;
}

std::vector<Summary> Summarizer::summarize(std::span<const std::string> documents,
                                           const SummarizeOptions& options) {
  const Tokenizer& tokenizer = impl_->get_tokenizer();
  const EncodedDocuments encoded = [&] {
    const TraceScope scope(impl_->trace, Phase::tokenize);
    return encode_documents(tokenizer, documents, impl_->backend->max_document(),
                            options.long_documents);
  }();
  SummarizeOptions inner = options;
  if (options.progress) {
    inner.progress = [&](const Progress& progress) {
      // Parts of split documents count as a share of their document.
      const std::size_t parts = std::max<std::size_t>(1, progress.total);
      options.progress(
          {.done = progress.done * documents.size() / parts, .total = documents.size()});
    };
  }
  std::vector<Summary> parts = generate(encoded.parts, inner);
  const TraceScope scope(impl_->trace, Phase::detokenize);
  const auto decode = [&](Summary& summary) { summary.text = tokenizer.decode(summary.tokens); };
  for (Summary& part : parts) {
    decode(part);
    for (Summary& alternative : part.alternatives) decode(alternative);
  }
  return join_parts(encoded, std::move(parts));
}

std::vector<Summary> Summarizer::summarize(std::span<const std::string> documents) {
  return summarize(documents, {.generation = generation()});
}

std::vector<std::vector<float>> Summarizer::encode(
    std::span<const std::vector<std::int32_t>> documents) {
  const auto d = static_cast<std::size_t>(config().d_model);
  std::vector<std::vector<float>> hidden;
  hidden.reserve(documents.size());
  std::size_t tokens = 0;
  for (const auto& document : documents) tokens += document.size();
  AlignedVector<float> all(tokens * d);
  const auto turn = impl_->turn();
  impl_->backend->encode_hidden(documents, all.data());
  auto at = all.cbegin();
  for (const auto& document : documents) {
    const auto end = at + static_cast<std::ptrdiff_t>(document.size() * d);
    hidden.emplace_back(at, end);
    at = end;
  }
  return hidden;
}

void Summarizer::set_trace(Trace* trace) {
  impl_->trace = trace;
  if (impl_->engine != nullptr) impl_->engine->set_trace(trace);
}

const GenerationConfig& Summarizer::generation() const { return impl_->metadata.generation; }
const ModelConfig& Summarizer::config() const { return impl_->metadata.config; }
const Provenance& Summarizer::provenance() const { return impl_->metadata.provenance; }
Precision Summarizer::precision() const { return impl_->metadata.precision; }
const Tokenizer& Summarizer::tokenizer() const { return impl_->get_tokenizer(); }
KvCache Summarizer::kv_cache() const {
  return impl_->engine == nullptr ? impl_->foreign.kv_cache : impl_->engine->kv_cache();
}
int Summarizer::threads() const {
  return impl_->pool == nullptr ? impl_->foreign_threads : impl_->pool->threads();
}
std::string_view Summarizer::instruction_set() const {
  return impl_->engine == nullptr ? impl_->foreign.library : kernels::instruction_set();
}
std::uint64_t Summarizer::engine_bytes() const {
  return impl_->file ? impl_->file->size() : impl_->foreign.file_bytes;
}
std::uint64_t Summarizer::weight_bytes() const {
  if (!impl_->file) return impl_->foreign.weight_bytes;
  std::uint64_t bytes = 0;
  for (const Section& section : impl_->file->sections()) {
    if (section.layout != Layout::bytes) bytes += section.size;
  }
  return bytes;
}
std::uint64_t Summarizer::kv_cache_bytes() const {
  return impl_->engine == nullptr ? 0 : impl_->engine->kv_cache_bytes();
}

Pages pages_from_name(std::string_view name) {
  if (name == "auto") return Pages::automatic;
  if (name == "mapped") return Pages::mapped;
  if (name == "large") return Pages::large;
  throw Error(ErrorKind::invalid_argument, "no such pages",
              {.field = "pages",
               .found = fmt::format("\"{}\"", name),
               .expected = "auto, mapped or large"});
}

EngineBackend engine_backend_from_name(std::string_view name) {
  if (name == "auto") return EngineBackend::automatic;
  if (name == "torch") return EngineBackend::torch;
  if (name == "onnxruntime") return EngineBackend::onnxruntime;
  throw Error(ErrorKind::invalid_argument, "no such back end",
              {.field = "backend",
               .found = fmt::format("\"{}\"", name),
               .expected = "auto, torch or onnxruntime"});
}

}  // namespace kobolt
