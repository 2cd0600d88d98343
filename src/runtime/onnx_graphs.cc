#include "runtime/onnx_graphs.h"

#include <algorithm>
#include <utility>

#include "base/presence.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

constexpr const char* kPast = "past_key_values.";
constexpr const char* kPresent = "present.";

std::filesystem::path graph_file(const std::filesystem::path& folder, const char* name) {
  std::filesystem::path file = folder / name;
  if (may_exist(file)) return file;
  throw Error(
      ErrorKind::not_found, "a graph is missing",
      {.file = file.string(),
       .expected = "encoder_model.onnx, decoder_model.onnx and decoder_with_past_model.onnx, as "
                   "kobolt export --onnx writes them"});
}

[[noreturn]] void reject_port(const OnnxSession& graph, const std::string& found,
                              const std::string& expected) {
  throw Error(ErrorKind::unsupported, "the graph is not of the form that Kobolt runs",
              {.file = graph.file(), .found = found, .expected = expected});
}

void require_output(const OnnxSession& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.outputs(), name, &OnnxPort::name);
  if (found == graph.outputs().end()) reject_port(graph, "no output " + name, "one");
  if (found->type != OnnxElement::f32) reject_port(graph, "other numbers", name + " in float32");
}

std::optional<int> fixed(std::int64_t size) {
  return size > 0 ? std::optional(static_cast<int>(size)) : std::nullopt;
}

}  // namespace

OnnxGraphs::OnnxGraphs(const std::filesystem::path& folder, int threads)
    : encoder_(graph_file(folder, "encoder_model.onnx"), threads),
      decoder_(graph_file(folder, "decoder_model.onnx"), threads),
      decoder_with_past_(graph_file(folder, "decoder_with_past_model.onnx"), threads) {
  require_output(encoder_, "last_hidden_state");
  require_output(decoder_, "logits");
  require_output(decoder_with_past_, "logits");
  find_cache();
  encoder_inputs_ = input_roles(encoder_);
  first_inputs_ = input_roles(decoder_);
  first_outputs_ = output_roles(decoder_);
  next_inputs_ = input_roles(decoder_with_past_);
  next_outputs_ = output_roles(decoder_with_past_);
  for (const OnnxPort& port : encoder_.inputs()) {
    if (port.shape.size() != 2) reject_port(encoder_, "input " + port.name, "[batch, tokens]");
    batch_ = fixed(port.shape[0]);
    sequence_ = fixed(port.shape[1]);
  }
}

void OnnxGraphs::find_cache() {
  for (const OnnxPort& port : decoder_with_past_.inputs()) {
    if (!port.name.starts_with(kPast)) continue;
    std::string name = port.name.substr(std::string(kPast).size());
    const bool grows = name.find(".decoder.") != std::string::npos;
    cache_.push_back({.name = std::move(name), .grows = grows});
  }
  // What grows has to come back from a step, and everything from the first.
  for (const OnnxCacheTensor& one : cache_) {
    const auto gives = [&one](const OnnxSession& graph) {
      const auto same = [&one](const OnnxPort& port) { return port.name == kPresent + one.name; };
      if (!std::ranges::any_of(graph.outputs(), same)) {
        reject_port(graph, "no output " + (kPresent + one.name), "one for each input of the cache");
      }
    };
    gives(decoder_);
    if (one.grows) gives(decoder_with_past_);
  }
}

std::optional<int> OnnxGraphs::cached(const std::string& name, const std::string& prefix) const {
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto found = std::ranges::find(cache_, name.substr(prefix.size()), &OnnxCacheTensor::name);
  if (found == cache_.end()) return std::nullopt;
  return static_cast<int>(found - cache_.begin());
}

OnnxGraphs::Roles OnnxGraphs::input_roles(const OnnxSession& graph) const {
  Roles roles;
  for (const OnnxPort& port : graph.inputs()) {
    if (const auto place = cached(port.name, kPast)) {
      roles.push_back(*place);
    } else if (port.name == "input_ids" && port.type == OnnxElement::i64) {
      roles.push_back(kIds);
    } else if (port.name.ends_with("attention_mask") && port.type == OnnxElement::i64) {
      roles.push_back(kMask);
    } else if (port.name == "encoder_hidden_states" && port.type == OnnxElement::f32) {
      roles.push_back(kHidden);
    } else {
      reject_port(graph, "input " + port.name, "the inputs and types of docs/onnx.md");
    }
  }
  return roles;
}

OnnxGraphs::Roles OnnxGraphs::output_roles(const OnnxSession& graph) const {
  Roles roles;
  for (const OnnxPort& port : graph.outputs()) {
    if (const auto place = cached(port.name, kPresent)) {
      roles.push_back(*place);
    } else if (port.name == "logits") {
      roles.push_back(kLogits);
    } else {
      reject_port(graph, "output " + port.name, "the outputs of docs/onnx.md");
    }
  }
  return roles;
}

OnnxElement OnnxGraphs::cache_type() const {
  for (const OnnxPort& port : decoder_with_past_.inputs()) {
    if (port.name.starts_with(kPast)) return port.type;
  }
  return OnnxElement::f32;
}

OnnxTensor OnnxGraphs::encode(const OnnxTensor& ids, const OnnxTensor& mask) {
  passed_.clear();
  for (const int role : encoder_inputs_) passed_.push_back(role == kIds ? &ids : &mask);
  std::vector<OnnxTensor> results = encoder_.run(passed_);
  const auto hidden = std::ranges::find(encoder_.outputs(), "last_hidden_state", &OnnxPort::name);
  return std::move(results[static_cast<std::size_t>(hidden - encoder_.outputs().begin())]);
}

OnnxTensor OnnxGraphs::first(const OnnxTensor& tokens, const OnnxTensor& mask,
                             const OnnxTensor& hidden, std::vector<OnnxTensor>& cache) {
  cache.resize(cache_.size());
  return decode(decoder_, first_inputs_, first_outputs_, tokens, mask, &hidden, cache);
}

OnnxTensor OnnxGraphs::next(const OnnxTensor& tokens, const OnnxTensor& mask,
                            std::vector<OnnxTensor>& cache) {
  return decode(decoder_with_past_, next_inputs_, next_outputs_, tokens, mask, nullptr, cache);
}

OnnxTensor OnnxGraphs::decode(OnnxSession& graph, const Roles& inputs, const Roles& outputs,
                              const OnnxTensor& tokens, const OnnxTensor& mask,
                              const OnnxTensor* hidden, std::vector<OnnxTensor>& cache) {
  passed_.clear();
  for (const int role : inputs) {
    if (role >= 0) passed_.push_back(&cache[static_cast<std::size_t>(role)]);
    if (role == kIds) passed_.push_back(&tokens);
    if (role == kMask) passed_.push_back(&mask);
    if (role == kHidden) passed_.push_back(hidden);
  }
  std::vector<OnnxTensor> results = graph.run(passed_);
  OnnxTensor logits;
  for (std::size_t i = 0; i < results.size(); ++i) {
    OnnxTensor& place =
        outputs[i] == kLogits ? logits : cache[static_cast<std::size_t>(outputs[i])];
    place = std::move(results[i]);
  }
  return logits;
}

}  // namespace kobolt
