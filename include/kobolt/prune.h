#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/export.h"
#include "kobolt/model.h"

namespace kobolt {

enum class PruningMethod : std::uint8_t {
  magnitude,   ///< in each layer its smallest weights; torch.nn.utils.prune.l1_unstructured
  structured,  ///< in each layer its smallest rows or columns; ln_structured
  global,      ///< the smallest weights over all chosen layers; global_unstructured
  row,         ///< in each output of each layer its smallest weights, as Wanda compares them
};
KOBOLT_API std::string_view name_of(PruningMethod method);
/// Throws Error(invalid_argument) listing what exists.
KOBOLT_API PruningMethod pruning_method_from_name(std::string_view name);

/// How large a row or column counts as being.
enum class PruningNorm : std::uint8_t { l1, l2, infinity };
/// Reads "1", "2" or "inf". Throws Error(invalid_argument).
KOBOLT_API PruningNorm norm_from_name(std::string_view name);

/// What structured pruning takes away at once.
enum class PruningUnit : std::uint8_t {
  channel,  ///< a row or column of one matrix, as ln_structured does
  whole,    ///< a whole attention head or ffn neuron: all its rows and columns, which then vanish
};
KOBOLT_API std::string_view name_of(PruningUnit unit);
/// Throws Error(invalid_argument).
KOBOLT_API PruningUnit pruning_unit_from_name(std::string_view name);

/// Outputs of a block of the pattern 16x1: as many as the kernels compute at once, so that a block
/// of zeros is work and bytes that vanish.
inline constexpr int kPruningBlock = 16;

/// Where the zeros of methods that prune single weights may lie.
struct PruningPattern {
  enum class Kind : std::uint8_t {
    free,    ///< anywhere
    n_of_m,  ///< of every m inputs of an output n are left; 2:4 is what GPUs can skip
    block,   ///< kPruningBlock neighbouring outputs lose an input together
  };
  Kind kind = Kind::free;
  int n = 0;  ///< n_of_m: left of each group, 1 <= n < m
  int m = 0;  ///< n_of_m: inputs of a group, at most 64

  bool operator==(const PruningPattern&) const = default;
};
/// "free", "2:4" and the like, "16x1".
KOBOLT_API std::string name_of(const PruningPattern& pattern);
/// Reads such a name. Throws Error(invalid_argument).
KOBOLT_API PruningPattern pruning_pattern_from_name(std::string_view name);

/// How much a single weight counts as mattering.
enum class PruningScore : std::uint8_t {
  magnitude,  ///< its absolute value
  wanda,      ///< times the L2 norm of its input over calibration data (arXiv 2306.11695)
  taylor,     ///< times the loss's derivative by it over calibration data (arXiv 1906.10771)
};
KOBOLT_API std::string_view name_of(PruningScore score);
/// Throws Error(invalid_argument) listing what exists.
KOBOLT_API PruningScore pruning_score_from_name(std::string_view name);

/// Of a linear layer's weight tensor, by name, the L2 norm of each of its inputs over all tokens of
/// some documents. collect_input_norms() of kobolt/calibration.h measures them.
using InputNorms = std::map<std::string, std::vector<float>>;

/// What heads and ffn neurons cost, in whatever is scarce: measure_unit_costs() of
/// kobolt/benchmark.h measures seconds.
struct UnitCosts {
  /// Of one unit of a block, by the block's name: "encoder.layers.0.self_attn",
  /// "decoder.layers.2.encoder_attn", "encoder.layers.0.ffn".
  std::map<std::string, double> of_unit;
  double total = 0;  ///< what an amount is a share of: more than heads and neurons cost together
};

/// Of weight tensors, by name, the derivative of the loss by each element, row-major.
/// collect_weight_gradients() of kobolt/gradient.h computes them.
using WeightGradients = std::map<std::string, std::vector<float>>;

/// Which layers to prune, and how the work is done.
struct PruningTargets {
  /// Names or patterns: "encoder.layers.*.self_attn.*", or the end of a name, "fc1", "q_proj".
  /// None: every linear layer except embeddings and the output projection. A pattern that matches
  /// nothing is an Error(invalid_argument) with the closest names.
  std::vector<std::string> layers;
  /// Allows embeddings and the output projection, when a pattern names them, and models that were
  /// pruned permanently.
  bool force = false;
  int threads = 0;  ///< 0 = one a usable core
};

struct PruningOptions {
  PruningMethod method = PruningMethod::magnitude;
  double amount = 0.2;  ///< 0 to 1, of what is not pruned yet
  /// For methods that prune single weights. A block's rank is the `norm` of its weights' scores;
  /// n:m needs no amount.
  PruningPattern pattern;
  /// For the same methods, and for heads and neurons, which count as the `norm` of their weights'
  /// scores. With taylor global_unit_pruning() does not divide that by the block's norm.
  PruningScore score = PruningScore::magnitude;
  InputNorms input_norms;                   ///< for the score wanda, of each chosen layer
  WeightGradients weight_gradients;         ///< for the score taylor, likewise
  bool structured = false;                  ///< method `structured`, whatever `method` says
  PruningUnit unit = PruningUnit::channel;  ///< structured; `whole` also with `global`
  int dim = 0;  ///< channels: 0 = output neurons (rows), 1 = inputs (columns)
  PruningNorm norm = PruningNorm::l2;  ///< structured, and blocks
  UnitCosts unit_costs;  ///< for global with whole units; empty: they cost their parameters
  PruningTargets targets;
};

/// One tensor that has pruned entries or could have.
struct LayerPruning {
  std::string name;  ///< "encoder.layers.0.fc1"
  std::vector<std::int64_t> shape;
  std::int64_t total = 0;
  std::int64_t pruned = 0;

  [[nodiscard]] double sparsity() const {
    return total == 0 ? 0 : static_cast<double>(pruned) / static_cast<double>(total);
  }
};

/// What a model's masks amount to. Parameters are those of the whole model, tied ones once.
struct PruningStats {
  std::int64_t total_params = 0;
  std::int64_t pruned_params = 0;  ///< masked, and in permanently pruned models zero or removed
  std::int64_t active_params = 0;
  double sparsity = 0;               ///< pruned_params / total_params
  double compression_ratio = 1;      ///< 1 / (1 - sparsity); infinite where nothing is left
  std::vector<LayerPruning> layers;  ///< linear layers and whatever else has pruned entries
};

/// In each chosen layer, prunes the round(amount * n) of its n unpruned weights that are smallest
/// in absolute value; ties lowest index first. round() is Python's: halves to even. Only masks
/// change. This and the next two throw Error(invalid_argument) for an amount outside [0, 1],
/// patterns that match nothing or what may not be pruned, and a model that was pruned permanently,
/// and Error(corrupt) for weights that are not numbers; the model is then as it was.
KOBOLT_API void magnitude_pruning(Model& model, double amount, const PruningTargets& targets = {});

/// In each chosen layer, prunes the round(amount * n) of its n rows (dim 0) or columns (dim 1) with
/// the smallest norm over their unpruned weights; rows that are pruned already do not count.
KOBOLT_API void structured_pruning(Model& model, double amount, int dim = 0,
                                   PruningNorm norm = PruningNorm::l2,
                                   const PruningTargets& targets = {});

/// As magnitude_pruning with one threshold over all chosen layers; ties go to the layer that comes
/// first in the computation.
KOBOLT_API void global_pruning(Model& model, double amount, const PruningTargets& targets = {});

/// In each block, an attention or an ffn with at least one chosen matrix, prunes the
/// round(amount * n) of its n heads or neurons whose weights have the smallest norm: rows of q, k
/// and v and columns of out_proj, or a row of fc1 and a column of fc2. Throws
/// Error(invalid_argument) also where that would be every one.
KOBOLT_API void unit_pruning(Model& model, double amount, PruningNorm norm = PruningNorm::l2,
                             const PruningTargets& targets = {});

/// The same over all chosen blocks at once: prunes heads and neurons until `amount` of their
/// parameters is gone, those first whose share of their block's norm is smallest for the parameters
/// that they cost. Of each block one stays. For l2 the norm's square counts. With `costs` the same
/// for what those say, until `amount` of their total is gone; units that cost nothing stay. Throws
/// Error(invalid_argument) also where heads and neurons do not cost that much together, and for
/// costs that are missing.
KOBOLT_API void global_unit_pruning(Model& model, double amount, PruningNorm norm = PruningNorm::l2,
                                    const PruningTargets& targets = {},
                                    const UnitCosts& costs = {});

/// Pruned channels that make_permanent() could not remove.
struct StayedChannels {
  std::string layer;
  int count = 0;  ///< rows, columns, heads or neurons
  std::string why;
};

struct PermanentReport {
  int heads = 0;    ///< removed
  int neurons = 0;  ///< of ffns, removed
  std::int64_t removed_params = 0;
  std::vector<StayedChannels> stayed;  ///< zero, but still there
};

/// Makes pruning real: heads and ffn neurons that no longer contribute vanish from the tensors and
/// from `model.config`, layer by layer; what a head without values or a neuron without inputs adds
/// to every token moves into the bias behind it. Other pruned weights become zero. Masks are
/// dropped; tensors without pruned entries stay borrowed. The model computes what it computed with
/// its masks. `uniform` removes only as many ffn neurons as every layer of a side can spare, and no
/// heads, whose number transformers ties to d_model: the result then loads there. Does nothing
/// without masks.
KOBOLT_API PermanentReport make_permanent(Model& model, bool uniform = false);

/// Takes whole encoder or decoder layers out ("decoder.layers.3", "encoder.layers.*" patterns too);
/// the others close up. Throws Error(invalid_argument) for a name that matches none and where a
/// side would be left without layers. The result is an ordinary model of fewer layers.
KOBOLT_API void drop_layers(Model& model, const std::vector<std::string>& layers);

/// The layers to drop so that this many stay, spread evenly: the first and the last among them.
/// Throws Error(invalid_argument).
KOBOLT_API std::vector<std::string> spread_layers(const ModelConfig& config, int encoder_layers,
                                                  int decoder_layers);

struct VocabularyReport {
  int before = 0;  ///< tokens
  int after = 0;
};

/// Takes tokens out that no text of `corpus` has: rows of embeddings and output projection, entries
/// of tokenizer.json; ids close up, everywhere. Each text is then cut into the same tokens as
/// before, which is checked. Special and added tokens stay, and tokens of one character
/// (`keep_characters`), so that other texts can be spelled. Throws Error; unsupported for a folder
/// without tokenizer.json; the model is then as it was.
KOBOLT_API VocabularyReport prune_vocabulary(Model& model, std::span<const std::string> corpus,
                                             bool keep_characters = true);

/// Drops the masks: the model is as it was before pruning.
KOBOLT_API void remove_masks(Model& model);

KOBOLT_API PruningStats get_pruning_stats(const Model& model);

/// Writes the five numbers and the table of layers as JSON, whole or not at all. Throws Error.
KOBOLT_API void save_pruning_stats(const PruningStats& stats, const std::filesystem::path& file);

/// The functions above on one model, with their options kept.
class KOBOLT_API ModelPruner {
 public:
  /// `model` must outlive the pruner.
  explicit ModelPruner(Model& model, PruningOptions options = {});

  /// Prunes `amount` of what is left; may be called again. Throws Error(invalid_argument) also for
  /// options that contradict each other.
  void prune();
  PermanentReport make_permanent(bool uniform = false) {
    return kobolt::make_permanent(model_, uniform);
  }
  void remove_masks() { kobolt::remove_masks(model_); }
  [[nodiscard]] PruningStats stats() const { return get_pruning_stats(model_); }
  void save_stats(const std::filesystem::path& file) const { save_pruning_stats(stats(), file); }
  /// The layers that prune() works on, in the order of computation.
  [[nodiscard]] std::vector<std::string> target_layers() const;

 private:
  Model& model_;
  PruningOptions options_;
};

}  // namespace kobolt
