#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/compile.h"
#include "kobolt/export.h"
#include "kobolt/generation_config.h"
#include "kobolt/kv_cache.h"
#include "kobolt/model.h"
#include "kobolt/tokenizer.h"
#include "kobolt/trace.h"
#include "kobolt/workers.h"

namespace kobolt {

/// What happens to a document that is longer than the model's positions.
enum class LongDocument : std::uint8_t {
  truncate,  ///< keep the beginning (the default)
  split,     ///< summarise consecutive parts, join their summaries with a space
  error,     ///< throw Error(invalid_argument) naming the document
};

/// What executes a model.
enum class EngineBackend : std::uint8_t {
  /// What the file is for: Kobolt's own engine, for Hugging Face folders too; TorchScript;
  /// TensorRT; ONNX
  /// Runtime for folders of graphs without other weights.
  automatic,
  torch,        ///< LibTorch, an operation at a time, for a Hugging Face folder: a baseline
  onnxruntime,  ///< ONNX Runtime for the graphs of a folder, whatever else it holds
};
/// Reads "auto", "torch" or "onnxruntime". Throws Error(invalid_argument).
KOBOLT_API EngineBackend engine_backend_from_name(std::string_view name);

/// Where the bytes of an engine file are while it runs. It starts mapped, whatever is chosen: what
/// follows differs.
enum class Pages : std::uint8_t {
  /// Large once enough steps have been taken to be worth a copy, beside the steps; mapped for files
  /// that are small, or take much of the memory that there is.
  automatic,
  mapped,  ///< in the system's cache, shared by all processes that have it open
  /// Copied at once into pages of 2 MiB or so of this process, where the system grants them: steps
  /// that read all weights no longer wait for looking up small pages.
  large,
};
/// Reads "auto", "mapped" or "large". Throws Error(invalid_argument).
KOBOLT_API Pages pages_from_name(std::string_view name);

struct EngineOptions {
  int threads = 0;  ///< 0 = one a core that this process may use
  /// Others than Kobolt's own engine need a component or a library (docs/backends.md), and only
  /// `threads` of these options counts for them.
  EngineBackend backend = EngineBackend::automatic;
  KvCache kv_cache = KvCache::automatic;
  bool pin = false;  ///< keep each worker thread on one core
  Pages pages = Pages::automatic;
  /// Threads shared with other Summarizers; then `threads` and `pin` do not count. Null = its own.
  std::shared_ptr<Workers> workers;
};

struct Progress {
  std::size_t done = 0;   ///< documents finished
  std::size_t total = 0;  ///< documents in all
};

struct SummarizeOptions {
  GenerationConfig generation;  ///< start from Summarizer::generation() and change what you need
  LongDocument long_documents = LongDocument::truncate;
  /// Most beams decoded in one step, over all documents: memory against speed. With many documents
  /// each of up to 8 threads takes steps of its own.
  int max_rows = 64;
  std::function<void(const Progress&)> progress;  ///< called from the calling thread
  /// The same, when a step of that thread has chosen the next token of each beam.
  std::function<void()> on_step;
};

struct Summary {
  std::string text;
  std::vector<std::int32_t> tokens;  ///< generated ids, without the start token
  double score = 0;  ///< as transformers' sequences_scores; 0 for greedy; the mean over split parts
  bool truncated = false;             ///< the document did not fit and lost its end
  std::vector<Summary> alternatives;  ///< the other return sequences, best first
};

/// A model ready to run: documents in, summaries out. Not thread-safe; one a thread, which may
/// share their workers and do share the engine file.
class KOBOLT_API Summarizer {
 public:
  /// Opens an engine file, compiles a Hugging Face folder into memory (`compile` applies to the
  /// latter), or opens a TorchScript file of export_torchscript() or a folder of export_onnx().
  /// Throws Error.
  explicit Summarizer(const std::filesystem::path& engine_or_checkpoint,
                      const EngineOptions& options = {}, const CompileOptions& compile = {});
  /// Compiles a model into memory. Throws Error.
  explicit Summarizer(const Model& model, const EngineOptions& options = {},
                      const CompileOptions& compile = {});
  Summarizer(Summarizer&&) noexcept;
  Summarizer& operator=(Summarizer&&) noexcept;
  ~Summarizer();

  /// Summaries in the order of `documents`; that of a document without any token is empty. Throws
  /// Error.
  std::vector<Summary> summarize(std::span<const std::string> documents,
                                 const SummarizeOptions& options);
  std::vector<Summary> summarize(std::span<const std::string> documents);

  /// The same from token ids, for benchmarks and tests: no tokenizer involved, `text` stays empty.
  std::vector<Summary> generate(std::span<const std::vector<std::int32_t>> documents,
                                const SummarizeOptions& options);
  /// Runs only the encoder; returns the hidden states of each document, [tokens, d_model].
  std::vector<std::vector<float>> encode(std::span<const std::vector<std::int32_t>> documents);
  /// Records what the calls above do in `trace`, which must outlive them; null ends that.
  void set_trace(Trace* trace);

  [[nodiscard]] const GenerationConfig& generation() const;  ///< the checkpoint's settings
  [[nodiscard]] const ModelConfig& config() const;
  [[nodiscard]] const Provenance& provenance() const;
  [[nodiscard]] Precision precision() const;
  [[nodiscard]] const Tokenizer& tokenizer() const;
  [[nodiscard]] int threads() const;
  [[nodiscard]] KvCache kv_cache() const;            ///< the format in use, never automatic
  [[nodiscard]] std::uint64_t engine_bytes() const;  ///< of the engine file or its image in memory
  [[nodiscard]] std::uint64_t weight_bytes() const;  ///< of them, what is no tokenizer and no text
  /// Bytes of keys and values that decoding has held at most; they are kept for what comes next.
  [[nodiscard]] std::uint64_t kv_cache_bytes() const;
  /// Of the kernels: "AVX2", "scalar"; of another back end what it is: "LibTorch 2.6.0, eager".
  [[nodiscard]] std::string_view instruction_set() const;

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace kobolt
