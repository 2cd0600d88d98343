#include <c10/util/Exception.h>
#include <torch/version.h>

#include <string>

#include "component/component_library.h"
#include "kobolt/error.h"
#include "kobolt/version.h"
#include "libtorch/script.h"
#include "libtorch/torch_cohort.h"
#include "runtime/torch_component.h"

namespace kobolt {
namespace {

/// LibTorch's errors as ours: they come with a trace of calls that helps nobody.
template <typename Call>
auto translated(const std::filesystem::path& file, Call call) {
  try {
    return call();
  } catch (const c10::Error& error) {
    throw Error(ErrorKind::corrupt,
                std::string("LibTorch refuses: ") + error.what_without_backtrace(),
                {.file = file.string()});
  }
}

EngineMetadata metadata_of(const Model& model) {
  return {.precision = Precision::fp32,
          .config = model.config,
          .generation = model.generation,
          .provenance = model.provenance};
}

class LibTorch : public TorchComponent {
 public:
  [[nodiscard]] std::string version() const override { return TORCH_VERSION; }

  ForeignModel open(const std::filesystem::path& file, int threads) override {
    return translated(file, [&] {
      OpenedScript script = open_script(file);
      const ModelConfig& config = script.metadata.config;
      const auto bytes = std::filesystem::file_size(file);
      return ForeignModel{.backend = std::make_unique<TorchBackend>(script.steps, config.vocab_size,
                                                                    config.max_positions, threads),
                          .metadata = script.metadata,
                          .tokenizer = std::move(script.tokenizer),
                          .library = "LibTorch " + version() + ", TorchScript",
                          .file_bytes = bytes,
                          .weight_bytes = bytes};
    });
  }

  ForeignModel eager(const Model& model, int threads) override {
    return translated(model.provenance.source, [&] {
      auto family = std::make_shared<TorchFamily>(model);
      const std::uint64_t bytes = family->weights().bytes();
      return ForeignModel{
          .backend = std::make_unique<TorchBackend>(std::move(family), model.config.vocab_size,
                                                    model.config.max_positions, threads),
          .metadata = metadata_of(model),
          .tokenizer = model.tokenizer,
          .library = "LibTorch " + version() + ", eager",
          .weight_bytes = bytes};
    });
  }

  void export_script(const Model& model, const std::filesystem::path& path) override {
    translated(path, [&] {
      TorchFamily family(model);
      EngineMetadata metadata = metadata_of(model);
      metadata.provenance.tool_version = kobolt::version();
      metadata.provenance.steps.push_back("exported to TorchScript by LibTorch " + version());
      write_script(family, metadata, model.tokenizer, path);
      return 0;
    });
  }
};

}  // namespace
}  // namespace kobolt

extern "C" KOBOLT_API const char* kobolt_component_version() { return kobolt::version().data(); }

extern "C" KOBOLT_API void* kobolt_component() {
  static kobolt::LibTorch component;
  return static_cast<kobolt::BackendComponent*>(&component);
}
