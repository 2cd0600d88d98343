#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/sweep_amounts.h"
#include "kobolt/evaluate.h"
#include "kobolt/prune.h"

namespace kobolt::cli {

/// The options of `kobolt prune`, as they are given.
struct PruneFlags {
  std::string model;
  std::string output;
  std::string method = "magnitude";
  double amount = PruningOptions{}.amount;
  std::vector<std::string> layers;
  std::vector<std::string> drop;
  int encoder_layers = 0;
  int decoder_layers = 0;
  std::string data;
  std::size_t limit = 100;
  std::string vocabulary;
  DatasetOptions fields;
  std::string unit = "channel";
  int dim = 0;
  std::string pattern = "free";
  std::string score = "magnitude";
  std::string norm = "2";
  std::string budget = "params";
  std::string format = "masked";
  bool permanent = false;
  bool uniform = false;
  bool force = false;
  std::string sweep;
  std::vector<std::string> sweep_methods = default_sweep_methods();
  std::string precision = "int8";
  std::string sparse = "auto";
  std::string calibration;
  bool verbose = false;
};

/// Adds them to the command.
void add_options(CLI::App& command, PruneFlags& options);

/// Whether heads and neurons of all blocks go by what they cost in time.
bool prunes_by_time(const PruneFlags& options);
/// Whether whole layers go.
bool drops_layers(const PruneFlags& options);
/// Whether weights, heads or neurons go.
bool prunes_weights(const PruneFlags& options);

}  // namespace kobolt::cli
