#pragma once

#include <string>
#include <vector>

#include "cli/layer_importance.h"
#include "cli/output.h"
#include "cli/prune_flags.h"
#include "kobolt/benchmark.h"
#include "kobolt/prune.h"

namespace kobolt::cli {

/// What was done, for the report.
struct PruneOutcome {
  std::vector<std::string> targets;  ///< matrices, or layers that are gone
  double seconds = 0;                ///< to choose what is pruned
  std::vector<DroppedLayer> trials;  ///< of layers dropped by importance
  PruningStats stats;
  ProvenCosts timing;  ///< of --budget time
  PermanentReport permanent;
  VocabularyReport vocabulary;
  bool ordinary = true;  ///< transformers can load it
};

/// The report of --json.
Json to_json(const PruneFlags& options, const PruneOutcome& outcome);
/// The report for people.
void print_text(const PruneFlags& options, const PruneOutcome& outcome);
/// What vanished for good and what could not, by reason: a line each, and each layer when asked
/// for.
void print_report(const PermanentReport& report, bool verbose);
/// What the result cannot do, on standard error.
void warn(const PruneFlags& options, const PruneOutcome& outcome);

}  // namespace kobolt::cli
