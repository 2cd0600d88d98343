#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "cli/output.h"

namespace kobolt::cli {

/// What was measured of one pruned model, or of the dense one.
struct SweepPoint {
  std::string method;  ///< "dense" for the model as it is
  double amount = 0;
  double sparsity = 0;  ///< of the whole model
  double rouge_l = 0;   ///< of all documents
  double seconds = 0;   ///< median of the timed work
  double speedup = 1;   ///< dense / pruned, timed in turn: the median of the rounds
  std::uint64_t file_bytes = 0;
  std::uint64_t peak_memory = 0;  ///< of a process that does the timed work alone
};

Json to_json(const SweepPoint& point);
/// Throws Error(corrupt) naming `file`.
SweepPoint sweep_point_from_json(const Json& json, const std::string& file);

/// 100 (dense - pruned) / dense of ROUGE-L; 0 where the dense model scores nothing.
double loss_percent(const SweepPoint& dense, const SweepPoint& point);

/// The dense point first. As text for a terminal, for Markdown, for a spreadsheet (numbers in plain
/// units), and as a plot.
std::string sweep_text(std::span<const SweepPoint> points);
std::string sweep_markdown(std::span<const SweepPoint> points);
std::string sweep_csv(std::span<const SweepPoint> points);
std::string sweep_svg(std::span<const SweepPoint> points);

}  // namespace kobolt::cli
