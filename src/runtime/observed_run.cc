#include "runtime/observed_run.h"

#include <utility>

#include "compile/compile_to_memory.h"
#include "kobolt/error.h"
#include "runtime/generate.h"

namespace kobolt {
namespace {

EncodedDocuments encode(const Model& model, std::span<const std::string> documents) {
  const Tokenizer tokenizer = Tokenizer::load(model.tokenizer, model.config.family);
  EncodedDocuments encoded =
      encode_documents(tokenizer, documents, model.config.max_positions, LongDocument::truncate);
  if (encoded.parts.empty()) {
    throw Error(ErrorKind::invalid_argument, "there is nothing to calibrate with",
                {.found = std::to_string(documents.size()) + " documents, none with any token"});
  }
  return encoded;
}

void add_site(const Linear& linear, const std::string& layer, const std::string& section,
              std::initializer_list<const char*> modules, std::vector<LinearSite>& sites) {
  if (linear.n() == 0) return;  // no cross-attention in the encoder
  LinearSite& site = sites.emplace_back();
  site.linear = &linear;
  site.section = layer + section;
  for (const char* module : modules) site.modules.push_back(layer + module);
}

void add_sites(const SideWeights& side, const std::string& prefix, std::vector<LinearSite>& sites) {
  for (std::size_t i = 0; i < side.layers.size(); ++i) {
    const LayerWeights& layer = side.layers[i];
    const std::string name = prefix + ".layers." + std::to_string(i) + ".";
    add_site(layer.qkv, name, "self_attn.qkv",
             {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}, sites);
    add_site(layer.self_out, name, "self_attn.out", {"self_attn.out_proj"}, sites);
    add_site(layer.cross_q, name, "cross_attn.q", {"encoder_attn.q_proj"}, sites);
    add_site(layer.cross_kv, name, "cross_attn.kv", {"encoder_attn.k_proj", "encoder_attn.v_proj"},
             sites);
    add_site(layer.cross_out, name, "cross_attn.out", {"encoder_attn.out_proj"}, sites);
    add_site(layer.fc1, name, "fc1", {"fc1"}, sites);
    add_site(layer.fc2, name, "fc2", {"fc2"}, sites);
  }
}

}  // namespace

ObservedRun::ObservedRun(const Model& model, std::span<const std::string> documents,
                         ThreadPool& pool)
    : generation_(model.generation),
      documents_(encode(model, documents)),
      engine_(compile_to_memory(model, {.precision = Precision::fp32}), pool, KvCache::fp32) {
  generation_.num_beams = 1;
  generation_.num_return_sequences = 1;
  generation_.do_sample = false;
}

std::size_t ObservedRun::tokens() const {
  std::size_t sum = 0;
  for (const auto& part : documents_.parts) sum += part.size();
  return sum;
}

std::vector<LinearSite> ObservedRun::sites() const {
  std::vector<LinearSite> sites;
  add_sites(engine_.weights().encoder, "encoder", sites);
  add_sites(engine_.weights().decoder, "decoder", sites);
  add_site(engine_.weights().lm_head, "", "lm_head", {"lm_head"}, sites);
  return sites;
}

void ObservedRun::run(LinearObserver& observer,
                      const std::function<void(const Progress&)>& progress) {
  GenerateOptions options;
  if (progress) {
    options.progress = [&](std::size_t done) {
      progress({.done = done, .total = documents_.parts.size()});
    };
  }
  engine_.observe(&observer);
  (void)generate(engine_, documents_.parts, generation_, options);
  engine_.observe(nullptr);
}

}  // namespace kobolt
