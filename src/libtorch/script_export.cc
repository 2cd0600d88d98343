#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>
#include <torch/script.h>

#include <functional>
#include <utility>

#include "libtorch/script.h"

namespace kobolt {
namespace {

using torch::jit::Stack;

// Sizes to trace with, all of them different, so that a size which ended up in a graph does not fit
// another by chance.
constexpr std::int64_t kRows = 2;
constexpr std::int64_t kTokens = 5;
constexpr std::int64_t kSteps = 3;

c10::List<at::Tensor> to_list(const TorchCache& cache) { return c10::List<at::Tensor>(cache); }

/// Adds what `function` does to `inputs` as a method.
void add_method(torch::jit::Module& module, const std::string& name, Stack inputs,
                const std::function<Stack(Stack)>& function,
                const std::vector<std::string>& arguments) {
  const auto no_names = [](const torch::autograd::Variable&) { return std::string(); };
  const auto traced =
      torch::jit::tracer::trace(std::move(inputs), function, no_names,
                                /*strict=*/false, /*force_outplace=*/false, &module, arguments);
  std::shared_ptr<torch::jit::Graph> graph = traced.first->graph;
  // Weights are constants of the graph: it is frozen as it stands.
  torch::jit::OptimizeFrozenGraph(graph);
  const c10::QualifiedName full_name(*module.type()->name(), name);
  module.type()->addMethod(
      module._ivalue()->compilation_unit()->create_function(full_name, std::move(graph)));
}

torch::jit::ExtraFilesMap extra_files(const EngineMetadata& metadata,
                                      const TokenizerFiles& tokenizer) {
  torch::jit::ExtraFilesMap files;
  std::vector<Section> sections;
  for (const auto& [name, content] : tokenizer) {
    files[name] = content;
    sections.push_back({.name = name,
                        .layout = Layout::bytes,
                        .shape = {static_cast<std::int64_t>(content.size())},
                        .size = content.size()});
  }
  files[kScriptDescription] = metadata_to_json(metadata, sections);
  return files;
}

}  // namespace

void write_script(TorchFamily& family, const EngineMetadata& metadata,
                  const TokenizerFiles& tokenizer, const std::filesystem::path& path) {
  const at::NoGradGuard no_gradients;
  torch::jit::Module module("kobolt.Summarizer");
  const auto options = at::TensorOptions(at::kLong);
  const at::Tensor mask = at::ones({kRows, kTokens}, options);
  add_method(module, kScriptEncode, {at::ones({kRows, kTokens}, options), mask},
             [&](Stack in) { return Stack{family.encode(in[0].toTensor(), in[1].toTensor())}; },
             {"ids", "mask"});

  const at::Tensor tokens = at::ones({kRows}, options);
  const at::Tensor hidden = at::rand({kRows, kTokens, family.weights().config.d_model});
  add_method(
      module, kScriptFirst, {tokens, hidden, mask},
      [&](Stack in) {
        TorchCache cross;
        const TorchStep step =
            family.first(in[0].toTensor(), in[1].toTensor(), in[2].toTensor(), cross);
        return Stack{c10::ivalue::Tuple::create(step.logits, to_list(step.self), to_list(cross))};
      },
      {"tokens", "hidden", "mask"});

  TorchCache cross;
  TorchStep before = family.first(tokens, hidden, mask, cross);
  for (at::Tensor& one : before.self) one = one.repeat({1, 1, kSteps, 1});
  add_method(module, kScriptNext,
             {tokens, at::full({1}, kSteps, options), mask, to_list(before.self), to_list(cross)},
             [&](Stack in) {
               const TorchStep step =
                   family.next(in[0].toTensor(), in[1].toTensor(), in[2].toTensor(),
                               in[3].toTensorVector(), in[4].toTensorVector());
               return Stack{c10::ivalue::Tuple::create(step.logits, to_list(step.self))};
             },
             {"tokens", "position", "mask", "self_cache", "cross_cache"});

  // Beside, and renamed, as everything that Kobolt writes.
  std::filesystem::path beside = path;
  beside += ".part";
  module.save(beside.string(), extra_files(metadata, tokenizer));
  std::filesystem::rename(beside, path);
}

}  // namespace kobolt
