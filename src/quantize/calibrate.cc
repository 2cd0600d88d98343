#include <fmt/format.h>

#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kobolt/calibrate.h"
#include "kobolt/error.h"
#include "quantize/activation_histogram.h"
#include "quantize/clip.h"
#include "quantize/layer_noise.h"
#include "quantize/row_sample.h"
#include "runtime/observed_run.h"

namespace kobolt {
namespace {

// Rows of inputs that are kept to measure a layer's noise with: the signal to noise of so many
// differs from that of all by tenths of a decibel.
constexpr int kSampledRows = 128;

/// What flows into one matrix of the engine.
struct SiteInputs {
  explicit SiteInputs(const LinearSite& of) : site(of), sample(of.linear->k(), kSampledRows) {}

  LinearSite site;
  ActivationHistogram histogram;
  RowSample sample;
};

class InputCollector : public LinearObserver {
 public:
  explicit InputCollector(const std::vector<LinearSite>& sites) {
    for (const LinearSite& site : sites) {
      sites_.push_back(std::make_unique<SiteInputs>(site));
      by_linear_.emplace(site.linear, sites_.back().get());
    }
  }

  void before(const Operand& operand, const Linear& linear) override {
    const auto found = by_linear_.find(&linear);
    if (found == by_linear_.end()) return;
    SiteInputs& inputs = *found->second;
    for (int row = 0; row < operand.m; ++row) {
      const float* x = operand.x + row * operand.ldx;
      if (!inputs.histogram.add({x, static_cast<std::size_t>(operand.k)})) {
        throw Error(ErrorKind::corrupt,
                    "a number that is not finite flows into a layer: the checkpoint is broken, or "
                    "too large for float32",
                    {.field = inputs.site.modules.front()});
      }
      inputs.sample.add(x);
    }
  }

  [[nodiscard]] const std::vector<std::unique_ptr<SiteInputs>>& sites() const { return sites_; }

 private:
  std::vector<std::unique_ptr<SiteInputs>> sites_;
  std::unordered_map<const Linear*, SiteInputs*> by_linear_;
};

std::string tensor_of(const std::string& module, const ModelConfig& config) {
  if (module != "lm_head") return "model." + module + ".weight";
  if (!config.tied_output) return "lm_head.weight";
  return config.shared_embedding ? "model.shared.weight" : "model.decoder.embed_tokens.weight";
}

void check(const CalibrateOptions& options) {
  if (!(options.percentile > 0 && options.percentile <= 100)) {
    throw Error(ErrorKind::invalid_argument, "no such percentile",
                {.field = "percentile",
                 .found = fmt::format("{}", options.percentile),
                 .expected = "above 0 and at most 100"});
  }
}

}  // namespace

Calibration calibrate(const Model& model, std::span<const std::string> documents,
                      const CalibrateOptions& options) {
  check(options);
  ThreadPool pool(options.run.threads);
  ObservedRun run(model, documents, pool);
  InputCollector collector(run.sites());
  run.run(collector, options.run.progress);

  const bool by_percentile = options.method == CalibrationMethod::percentile;
  Calibration calibration{.model_hash = model.provenance.source_hash,
                          .method = options.method,
                          .percentile = by_percentile ? options.percentile : 0,
                          .documents = documents.size(),
                          .auto_mixed_db = options.auto_mixed_db};
  for (const auto& inputs : collector.sites()) {
    const ActivationHistogram& histogram = inputs->histogram;
    const float clip = clip_of(histogram, options.method, options.percentile);
    for (const std::string& module : inputs->site.modules) {
      const Tensor weight = model.effective_tensor(tensor_of(module, model.config));
      const LayerNoise noise = layer_noise(inputs->sample, clip, weight, pool);
      calibration.layers.push_back(
          {.name = module,
           .section = inputs->site.section,
           .min = histogram.min(),
           .max = histogram.max(),
           .clip = clip,
           .input_snr_db = noise.input_db,
           .weight_snr_db = noise.weight_db,
           .snr_db = noise.output_db,
           .keep = options.auto_mixed_db && noise.output_db < *options.auto_mixed_db});
    }
  }
  return calibration;
}

}  // namespace kobolt
