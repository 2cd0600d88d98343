#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include <utility>

#include "kobolt/error.h"
#include "libtorch/script.h"

namespace kobolt {
namespace {

/// Graphs run as they were frozen. Otherwise the executor would specialise them for the sizes that
/// it sees, and every step of a summary has another one: seconds until it gives up, no gain then.
using AsWritten = torch::jit::GraphOptimizerEnabledGuard;

/// The three steps as methods of a TorchScript module.
class ScriptSteps : public TorchSteps {
 public:
  explicit ScriptSteps(torch::jit::Module module)
      : module_(std::move(module)),
        encode_(module_.get_method(kScriptEncode)),
        first_(module_.get_method(kScriptFirst)),
        next_(module_.get_method(kScriptNext)) {}

  at::Tensor encode(const at::Tensor& ids, const at::Tensor& mask) override {
    const AsWritten as_written(false);
    return encode_({ids, mask}).toTensor();
  }

  TorchStep first(const at::Tensor& tokens, const at::Tensor& hidden, const at::Tensor& mask,
                  TorchCache& cross) override {
    const AsWritten as_written(false);
    const auto result = first_({tokens, hidden, mask}).toTuple();
    cross = result->elements()[2].toTensorVector();
    return to_step(*result);
  }

  TorchStep next(const at::Tensor& tokens, const at::Tensor& position, const at::Tensor& mask,
                 const TorchCache& self, const TorchCache& cross) override {
    const AsWritten as_written(false);
    return to_step(
        *next_({tokens, position, mask, c10::List<at::Tensor>(self), c10::List<at::Tensor>(cross)})
             .toTuple());
  }

 private:
  static TorchStep to_step(const c10::ivalue::Tuple& result) {
    return {.logits = result.elements()[0].toTensor(),
            .self = result.elements()[1].toTensorVector()};
  }

  torch::jit::Module module_;
  torch::jit::Method encode_;
  torch::jit::Method first_;
  torch::jit::Method next_;
};

std::string record(caffe2::serialize::PyTorchStreamReader& reader, const std::string& name) {
  const auto [data, size] = reader.getRecord("extra/" + name);
  return {static_cast<const char*>(data.get()), size};
}

}  // namespace

OpenedScript open_script(const std::filesystem::path& path) {
  OpenedScript opened;
  {
    caffe2::serialize::PyTorchStreamReader reader(path.string());
    if (!reader.hasRecord(std::string("extra/") + kScriptDescription)) {
      throw Error(ErrorKind::unsupported, "not a TorchScript file of Kobolt",
                  {.file = path.string(),
                   .field = std::string("extra/") + kScriptDescription,
                   .expected = "what kobolt export --torchscript writes"});
    }
    std::vector<Section> files;
    opened.metadata = metadata_from_json(record(reader, kScriptDescription), path.string(), files);
    for (const Section& file : files) opened.tokenizer[file.name] = record(reader, file.name);
  }
  opened.steps = std::make_shared<ScriptSteps>(torch::jit::load(path.string()));
  return opened;
}

}  // namespace kobolt
