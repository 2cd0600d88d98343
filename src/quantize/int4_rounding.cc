#include "kobolt/int4_rounding.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compile/precision_plan.h"
#include "kobolt/error.h"
#include "quantize/error_feedback.h"
#include "quantize/input_moments.h"
#include "quantize/int8.h"
#include "quantize/round4_feedback.h"
#include "runtime/observed_run.h"

namespace kobolt {
namespace {

// Of moments that are held at a time. What needs more sees the documents again.
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

// Rows of documents for each input of a layer. More say nothing new and take time; the decoder sees
// far fewer.
constexpr std::size_t kRowsPerInput = 16;

bool sees_documents(const LinearSite& site) {
  return site.section.starts_with("encoder") || site.section.ends_with("cross_attn.kv");
}

std::size_t moment_bytes(const LinearSite& site) {
  const auto k = static_cast<std::size_t>(site.linear->k());
  return k * k * sizeof(double);
}

class MomentsCollector : public LinearObserver {
 public:
  /// `tokens` of the documents.
  MomentsCollector(std::span<const LinearSite> sites, std::size_t tokens, ThreadPool& pool) {
    for (const LinearSite& site : sites) {
      const int k = site.linear->k();
      const std::size_t enough = kRowsPerInput * static_cast<std::size_t>(k);
      const std::size_t stride =
          sees_documents(site) ? std::max(std::size_t{1}, tokens / enough) : 1;
      moments_.emplace(site.linear, Collected{.site = &site, .moments = {k, stride, pool}});
    }
  }

  void before(const Operand& operand, const Linear& linear) override {
    const auto found = moments_.find(&linear);
    if (found == moments_.end()) return;
    if (!found->second.moments.add(operand.x, operand.ldx, operand.m)) {
      throw Error(ErrorKind::corrupt,
                  "a number that is not finite flows into a layer: the checkpoint is broken, or "
                  "too large for float32",
                  {.field = found->second.site->modules.front()});
    }
  }

  std::vector<double> take(const LinearSite& site) {
    return moments_.at(site.linear).moments.take();
  }

 private:
  struct Collected {
    const LinearSite* site;
    InputMoments moments;
  };
  std::unordered_map<const Linear*, Collected> moments_;
};

std::vector<float> joined_weights(const Model& model, const LinearSite& site) {
  std::vector<float> weights;
  for (const std::string& module : site.modules) {
    const std::string name = module == "lm_head" ? module : "model." + module;
    const std::vector<float> part = model.effective_tensor(name + ".weight").to_f32();
    weights.insert(weights.end(), part.begin(), part.end());
  }
  return weights;
}

Int4Matrix rounded(const Model& model, const LinearSite& site, std::vector<double> moments,
                   ThreadPool& pool) {
  const int n = site.linear->n();
  const int k = site.linear->k();
  const std::vector<float> weights = joined_weights(model, site);
  Int4Matrix matrix{.section = site.section, .n = n, .k = k};
  const ErrorFeedback feedback(std::move(moments), k, pool);
  FeedbackRounding rounding = round_with_feedback(weights, n, feedback, pool);
  matrix.blocks = std::move(rounding.blocks);
  matrix.plain_db = decibels(rounding.signal, rounding.plain_noise);
  matrix.db = decibels(rounding.signal, rounding.noise);
  return matrix;
}

}  // namespace

Int4Rounding round_to_int4(const Model& model, std::span<const std::string> documents,
                           const CompileOptions& compiled, const CalibrationOptions& options) {
  const PrecisionPlan plan(compiled, model.config);
  ThreadPool pool(options.threads);
  ObservedRun run(model, documents, pool);
  std::vector<LinearSite> sites = run.sites();
  std::erase_if(sites, [&](const LinearSite& site) {
    const bool embedding = site.section == "lm_head" && model.config.tied_output;
    return embedding || plan.of(site.section) != Precision::int4;
  });
  Int4Rounding rounding{.model_hash = model.provenance.source_hash, .documents = documents.size()};
  for (std::size_t begin = 0; begin < sites.size();) {
    std::size_t end = begin;
    for (std::size_t bytes = 0; end < sites.size(); ++end) {
      bytes += moment_bytes(sites[end]);
      if (end > begin && bytes > kMostBytes) break;
    }
    const auto pass = std::span(sites).subspan(begin, end - begin);
    MomentsCollector collector(pass, run.tokens(), pool);
    run.run(collector, options.progress);
    for (const LinearSite& site : pass) {
      rounding.matrices.push_back(rounded(model, site, collector.take(site), pool));
    }
    begin = end;
  }
  return rounding;
}

}  // namespace kobolt
