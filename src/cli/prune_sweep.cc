#include "cli/prune_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "cli/own_program.h"
#include "cli/progress.h"
#include "cli/prune_data.h"
#include "cli/summary_score.h"
#include "cli/sweep_folder.h"
#include "cli/sweep_point.h"
#include "cli/table.h"
#include "cli/unit_timing.h"
#include "evaluate/dataset_hash.h"
#include "kobolt/compile.h"
#include "kobolt/error.h"
#include "kobolt/pruning_recipe.h"
#include "kobolt/version.h"

namespace kobolt::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDense = "dense";

// The work is always the same, so that a model that pruning has made talkative does not count as
// slow.
constexpr int kIterations = 5;
constexpr int kWarmup = 2;
constexpr int kRounds = 3;

std::string work_text(const BenchmarkOptions& work) {
  return fmt::format("1 x {} tokens in, {} out, {} beams: median of {}, {} rounds in turn",
                     work.sequence, work.new_tokens, work.beams, kIterations, kRounds);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<PruningRecipe> methods_of(const PruneFlags& options) {
  std::vector<PruningRecipe> methods;
  for (const std::string& name : options.sweep_methods) {
    methods.push_back(pruning_recipe_from_name(name));
  }
  return methods;
}

class Sweep {
 public:
  Sweep(const PruneFlags& options, const GlobalOptions& global)
      : options_(options),
        global_(global),
        amounts_(sweep_amounts(options.sweep)),
        methods_(methods_of(options)),
        model_(Model::load(options.model)),
        examples_(read_examples(options.data, options.fields, options.limit, true)),
        score_(examples_),
        work_(timed_work(model_)),
        folder_(options.output, described()) {}

  std::vector<SweepPoint> run() {
    const std::vector<Task> missing = missing_tasks();
    if (!missing.empty()) {
      measure_for_scores(missing);
      compile(model_, dense_file(), compile_options());
      ProgressBar bar("sweeping", "documents", global_);
      for (std::size_t i = 0; i < missing.size(); ++i) measure(missing[i], i, missing.size(), bar);
    }
    std::error_code ignored;
    for (const fs::path& file : {dense_file(), pruned_file()}) fs::remove(file, ignored);
    std::vector<SweepPoint> points;
    for (const Task& task : tasks()) {
      const std::string name = name_of_point(task);
      points.push_back(sweep_point_from_json(folder_.point(name).value(), name));
    }
    return points;
  }

  [[nodiscard]] Json result(const std::vector<SweepPoint>& points) const {
    Json json = {{"options", described()}, {"points", Json::array()}};
    for (const SweepPoint& point : points) {
      json["points"].push_back(to_json(point));
      json["points"].back()["loss_percent"] = loss_percent(points[0], point);
    }
    return json;
  }

  [[nodiscard]] const SweepFolder& folder() const { return folder_; }
  [[nodiscard]] std::string work() const { return work_text(work_); }
  [[nodiscard]] std::size_t documents() const { return score_.documents(); }

 private:
  struct Task {
    const PruningRecipe* method = nullptr;  ///< none: the dense model
    double amount = 0;
  };

  [[nodiscard]] CompileOptions compile_options() const {
    return {.precision = precision_from_name(options_.precision),
            .sparse = sparse_storage_from_name(options_.sparse)};
  }
  [[nodiscard]] fs::path dense_file() const { return folder_.file("dense.kobolt"); }
  [[nodiscard]] fs::path pruned_file() const { return folder_.file("pruned.kobolt"); }

  // What a point's numbers depend on; which points there are may change from run to run.
  [[nodiscard]] Json described() const {
    return {{"kobolt", version()},
            {"model", model_.provenance.source_hash},
            {"data", dataset_hash(examples_)},
            {"documents", examples_.size()},
            {"precision", options_.precision},
            {"sparse", options_.sparse},
            {"layers", options_.layers},
            {"norm", options_.norm},
            {"calibration", options_.calibration},
            {"threads", global_.threads},
            {"timed", work_text(work_)}};
  }

  [[nodiscard]] std::vector<Task> tasks() const {
    std::vector<Task> tasks = {{}};
    for (const PruningRecipe& method : methods_) {
      for (const double amount : amounts_) {
        if (amount > 0) tasks.push_back({&method, amount});
      }
    }
    return tasks;
  }

  [[nodiscard]] std::vector<Task> missing_tasks() const {
    std::vector<Task> missing = tasks();
    std::erase_if(missing, [&](const Task& task) {
      const std::string name = name_of_point(task);
      const std::optional<Json> stored = folder_.point(name);
      if (stored) (void)sweep_point_from_json(*stored, name);
      return stored.has_value();
    });
    return missing;
  }

  static std::string name_of_point(const Task& task) {
    return task.method == nullptr ? kDense : fmt::format("{}@{}", task.method->name, task.amount);
  }

  void measure_for_scores(const std::vector<Task>& missing) {
    const auto any_by = [&](PruningScore score) {
      return std::ranges::any_of(missing, [=](const Task& task) {
        return task.method != nullptr && task.method->score == score;
      });
    };
    const bool taylor = any_by(PruningScore::taylor);
    const bool wanda = any_by(PruningScore::wanda);
    if (!taylor && !wanda) return;
    const std::vector<Example> examples =
        options_.calibration.empty()
            ? examples_
            : read_examples(options_.calibration, options_.fields, options_.limit, taylor);
    if (wanda) norms_ = calibrate(model_, examples, global_);
    if (taylor) gradients_ = differentiate(model_, examples, targets(), global_);
  }

  [[nodiscard]] PruningTargets targets() const {
    return {.layers = options_.layers, .force = options_.force, .threads = global_.threads};
  }

  void measure(const Task& task, std::size_t index, std::size_t count, ProgressBar& bar) {
    SweepPoint point{.method = kDense};
    fs::path engine = dense_file();
    if (task.method != nullptr) {
      point.method = task.method->name;
      point.amount = task.amount;
      engine = pruned_file();
      point.sparsity = compile_pruned(task);
    }
    point.file_bytes = fs::file_size(engine);
    const std::size_t documents = score_.documents();
    {
      Summarizer summarizer(engine, {.threads = global_.threads});
      point.rouge_l = score_.rouge_l(summarizer, [&](std::size_t done) {
        bar.update(index * documents + done, count * documents);
      });
    }
    time(engine, point);
    folder_.store(name_of_point(task), to_json(point));
  }

  // Returns the sparsity.
  double compile_pruned(const Task& task) {
    Model model = model_;
    const PruningRecipe& method = *task.method;
    if (!method.layers_of.empty()) {
      prune(model, {method, task.amount});
      compile(model, pruned_file(), compile_options());
      return get_pruning_stats(model).sparsity;
    }
    PruningOptions options;
    options.method = method.method;
    options.amount = task.amount;
    options.pattern = method.pattern;
    options.score = method.score;
    options.unit = method.unit;
    options.norm = norm_from_name(options_.norm);
    options.targets = targets();
    if (method.score == PruningScore::wanda) options.input_norms = norms_;
    if (method.score == PruningScore::taylor) options.weight_gradients = gradients_;
    ModelPruner pruner(model, std::move(options));
    pruner.prune();
    if (method.unit == PruningUnit::whole) pruner.make_permanent();
    compile(model, pruned_file(), compile_options());
    return pruner.stats().sparsity;
  }

  void time(const fs::path& engine, SweepPoint& point) const {
    std::vector<double> seconds;
    std::vector<double> speedups;
    for (int round = 0; round < kRounds; ++round) {
      const Json dense = bench(dense_file());
      const Json pruned = engine == dense_file() ? dense : bench(engine);
      seconds.push_back(pruned.at("p50"));
      speedups.push_back(dense.at("p50").get<double>() / seconds.back());
      point.peak_memory =
          std::max<std::uint64_t>(point.peak_memory, pruned.at("peak_memory").get<std::uint64_t>());
    }
    point.seconds = median(seconds);
    point.speedup = median(speedups);
  }

  // In a process of its own, whose memory is that of the engine alone.
  [[nodiscard]] Json bench(const fs::path& engine) const {
    return Json::parse(run_own_program(
        {"bench", engine.string(), "--json", "--quiet", "--batch", "1", "--sequence",
         std::to_string(work_.sequence), "--beams", std::to_string(work_.beams), "--new-tokens",
         std::to_string(work_.new_tokens), "--iterations", std::to_string(kIterations), "--warmup",
         std::to_string(kWarmup), "--threads", std::to_string(global_.threads)}));
  }

  const PruneFlags& options_;
  const GlobalOptions& global_;
  std::vector<double> amounts_;
  std::vector<PruningRecipe> methods_;
  Model model_;
  std::vector<Example> examples_;
  SummaryScore score_;
  BenchmarkOptions work_;
  SweepFolder folder_;
  InputNorms norms_;
  WeightGradients gradients_;
};

}  // namespace

void run_sweep(const PruneFlags& options, const GlobalOptions& global) {
  if (options.data.empty()) {
    throw CLI::ValidationError("--sweep", "needs --data, documents with summaries");
  }
  Sweep sweep(options, global);
  const std::vector<SweepPoint> points = sweep.run();
  const SweepFolder& folder = sweep.folder();
  write_file(folder.file("sweep.json"), sweep.result(points).dump(2) + "\n");
  write_file(folder.file("sweep.csv"), sweep_csv(points));
  write_file(folder.file("sweep.md"), sweep_markdown(points));
  write_file(folder.file("sweep.svg"), sweep_svg(points));
  if (global.json) {
    print_json(sweep.result(points));
  } else if (!global.quiet) {
    print("{}\n", sweep_text(points));
    print("{}", key_values({{"ROUGE-L",
                             fmt::format("{} documents, {}", sweep.documents(), options.precision)},
                            {"time", sweep.work()},
                            {"saved", options.output}}));
  }
}

}  // namespace kobolt::cli
