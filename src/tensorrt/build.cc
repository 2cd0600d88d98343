#include "tensorrt/build.h"

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "base/presence.h"
#include "kobolt/error.h"
#include "tensorrt/network.h"
#include "tensorrt/profile_shapes.h"

namespace kobolt {
namespace {

using namespace nvinfer1;

constexpr const char* kGraphs[] = {"encoder", "decoder", "decoder_with_past"};

#if NV_TENSORRT_MAJOR >= 11
constexpr NetworkDefinitionCreationFlags kNetworkFlags = 0;  // all are strongly typed
#else
constexpr NetworkDefinitionCreationFlags kNetworkFlags =
    1U << static_cast<unsigned>(NetworkDefinitionCreationFlag::kSTRONGLY_TYPED);
#endif

[[noreturn]] void fail(const char* what, const std::string& graph, TensorRTLog& log) {
  throw Error(ErrorKind::unsupported, std::string("TensorRT cannot ") + what,
              {.field = graph, .found = log.take()});
}

template <typename T>
std::unique_ptr<T> owned(T* object, const char* what, TensorRTLog& log) {
  if (object == nullptr) fail(what, "", log);
  return std::unique_ptr<T>(object);
}

/// What TensorRT has learned about kernels' times, from conversions before and this one.
class TimingCache {
 public:
  TimingCache(std::filesystem::path path, IBuilderConfig& config, TensorRTLog& log)
      : path_(std::move(path)) {
    std::string known;
    if (may_exist(path_)) known = read_text_file(path_);
    if (use(known, config)) return;
    // A file of another version or device counts as empty, which is no error to speak of.
    (void)log.take();
    (void)use("", config);
  }

  /// Throws Error where it cannot be written.
  void save() const {
    if (cache_ == nullptr) return;
    const std::unique_ptr<IHostMemory> bytes(cache_->serialize());
    if (bytes == nullptr) return;
    write_file(path_, {static_cast<const char*>(bytes->data()), bytes->size()});
  }

 private:
  bool use(std::string_view known, IBuilderConfig& config) {
    cache_.reset(config.createTimingCache(known.data(), known.size()));
    return cache_ != nullptr && config.setTimingCache(*cache_, /*ignoreMismatch=*/false);
  }

  std::filesystem::path path_;
  std::unique_ptr<ITimingCache> cache_;
};

void add_profile(IBuilder& builder, IBuilderConfig& config, INetworkDefinition& network,
                 const std::string& graph, const TensorRTProfile& sizes, TensorRTLog& log) {
  IOptimizationProfile* profile = builder.createOptimizationProfile();
  for (int i = 0; i < network.getNbInputs(); ++i) {
    const ITensor& input = *network.getInput(i);
    const char* name = input.getName();
    const InputShapes shapes = input_shapes(graph, name, input.getDimensions(), sizes);
    if (!profile->setDimensions(name, OptProfileSelector::kMIN, shapes.least) ||
        !profile->setDimensions(name, OptProfileSelector::kOPT, shapes.best) ||
        !profile->setDimensions(name, OptProfileSelector::kMAX, shapes.most)) {
      fail("accept the sizes of an input", graph + ", " + name, log);
    }
  }
  if (config.addOptimizationProfile(profile) < 0) fail("accept the profile", graph, log);
}

std::string build_plan(IBuilder& builder, const std::string& graph, const TensorRTBuild& build,
                       TensorRTLog& log) {
  const auto network = owned(builder.createNetworkV2(kNetworkFlags), "make a network", log);
  const auto parser = owned(nvonnxparser::createParser(*network, log), "make a parser", log);
  const auto onnx = build.onnx_folder / (graph + "_model.onnx");
  if (!parser->parseFromFile(onnx.c_str(), static_cast<int>(ILogger::Severity::kERROR))) {
    fail("read the ONNX graph", graph, log);
  }
  if (graph != "encoder") add_selection(*network);
  if (graph == "decoder_with_past") add_reordering(*network);

  const auto config = owned(builder.createBuilderConfig(), "make a configuration", log);
  config->setMemoryPoolLimit(MemoryPoolType::kWORKSPACE, build.workspace_size);
  if (!build.tf32) config->clearFlag(BuilderFlag::kTF32);
  const TimingCache timings(build.timing_cache, *config, log);
  add_profile(builder, *config, *network, graph, build.profile, log);
  const auto plan = std::unique_ptr<IHostMemory>(builder.buildSerializedNetwork(*network, *config));
  if (plan == nullptr) fail("build an engine", graph, log);
  timings.save();
  return {static_cast<const char*>(plan->data()), plan->size()};
}

}  // namespace

TensorRTPlans build_plans(const TensorRTBuild& build, TensorRTLog& log) {
  const auto builder = owned(createInferBuilder(log), "start", log);
  TensorRTPlans plans;
  for (const char* graph : kGraphs) plans[graph] = build_plan(*builder, graph, build, log);
  return plans;
}

}  // namespace kobolt
