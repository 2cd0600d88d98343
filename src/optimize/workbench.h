#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kobolt/int4_rounding.h"
#include "optimize/laboratory.h"

namespace kobolt {

/// The laboratory of a real model on this machine.
class Workbench : public Laboratory {
 public:
  /// Model and options outlive it. `timed` are the documents that speed is measured with;
  /// `baseline` is the setting that stays open, since every speed is measured against it.
  Workbench(const Model& model, const OptimizeOptions& options, const Setting& baseline,
            std::span<const std::size_t> timed);
  ~Workbench() override;

  std::uint64_t file_bytes(const Setting& setting) override;
  std::vector<std::string> summarize(const Setting& setting,
                                     std::span<const std::size_t> documents) override;
  std::vector<SettingTimes> time(std::span<const Setting> settings, int rounds) override;
  std::uint64_t peak_memory(const Setting& setting) override;

 private:
  struct OpenEngine {
    std::string name;
    Summarizer summarizer;
  };
  Summarizer& engine(const Setting& setting);
  [[nodiscard]] std::unique_ptr<OpenEngine> open(const Setting& setting);
  [[nodiscard]] Model prepared_model(const Setting& setting);
  /// The setting's, with int4 weights rounded for `model`, which is pruned as it wants.
  CompileOptions compile_options(const Setting& setting, const Model& model);

  const Model& model_;
  const OptimizeOptions& options_;
  std::vector<std::string> timed_;
  Setting baseline_setting_;
  std::unique_ptr<OpenEngine> baseline_;
  std::unique_ptr<OpenEngine> candidate_;  // the one that was asked for last
  std::map<std::string, std::shared_ptr<const Int4Rounding>> int4_;  // by the name of the pruning
  PruningEvidence evidence_;  // of the unpruned model, once a setting wants it
};

}  // namespace kobolt
