#include "kobolt/calibration.h"

#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "runtime/observed_run.h"

namespace kobolt {
namespace {

/// Adds up the squares of what flows into each linear layer of encoder and decoder.
class SquareSums : public LinearObserver {
 public:
  explicit SquareSums(const std::vector<LinearSite>& sites) {
    for (const LinearSite& site : sites) {
      if (site.section == "lm_head") continue;
      Sums& sums = sums_[site.linear];
      sums.squares.resize(static_cast<std::size_t>(site.linear->k()));
      for (const std::string& module : site.modules) {
        sums.tensors.push_back("model." + module + ".weight");
      }
    }
  }

  void before(const Operand& operand, const Linear& linear) override {
    const auto found = sums_.find(&linear);
    if (found == sums_.end()) return;  // the output projection
    std::vector<double>& sums = found->second.squares;
    for (int row = 0; row < operand.m; ++row) {
      const float* x = operand.x + row * operand.ldx;
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(x[i]) * x[i];
    }
  }

  /// The norms by the names of the tensors.
  [[nodiscard]] InputNorms norms() const {
    InputNorms norms;
    for (const auto& [linear, sums] : sums_) {
      std::vector<float> roots;
      for (const double sum : sums.squares) roots.push_back(static_cast<float>(std::sqrt(sum)));
      for (const std::string& tensor : sums.tensors) norms.emplace(tensor, roots);
    }
    return norms;
  }

 private:
  struct Sums {
    std::vector<std::string> tensors;  ///< that the engine joined
    std::vector<double> squares;
  };

  std::map<const Linear*, Sums> sums_;
};

}  // namespace

InputNorms collect_input_norms(const Model& model, std::span<const std::string> documents,
                               const CalibrationOptions& options) {
  ThreadPool pool(options.threads);
  ObservedRun run(model, documents, pool);
  SquareSums sums(run.sites());
  run.run(sums, options.progress);
  return sums.norms();
}

}  // namespace kobolt
