#include "tensorrt/tensorrt_cohort.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "export/tensorrt/profile.h"
#include "kobolt/error.h"
#include "tensorrt/device_cache.h"
#include "tensorrt/network.h"

namespace kobolt {
namespace {

using nvinfer1::Dims;
using nvinfer1::Dims2;
using nvinfer1::Dims3;

class TensorRTCohort : public Cohort {
 public:
  /// `least` is what the profile wants at least: what is missing is padding.
  TensorRTCohort(TensorRTPrograms& programs, std::span<const std::vector<std::int32_t>> documents,
                 int vocab_size, TensorRTShape least, int max_rows, int max_length)
      : Cohort(vocab_size),
        programs_(programs),
        vocab_size_(vocab_size),
        most_rows_(max_rows * static_cast<int>(documents.size())),
        room_(max_length),
        self_(cached_tensors(programs.decoder_with_past, ".decoder.")),
        cross_(cached_tensors(programs.decoder_with_past, ".encoder.")) {
    for (const auto& document : documents) {
      lengths_.push_back(static_cast<int>(document.size()));
    }
    tokens_ = std::max(*std::ranges::max_element(lengths_), least.sequence);
    reserve();
    encode(documents, least.batch);
  }

  void step(std::span<const CohortRow> rows, int position, std::span<float> logits) override {
    decode(rows, position);
    programs_.stream.copy(logits.data(), logits_.data(), logits.size_bytes(),
                          cudaMemcpyDeviceToHost);
    programs_.stream.wait();
  }

  void step_summary(std::span<const CohortRow> rows, int position, int count,
                    std::span<LogitSummary> summaries) override {
    if (count > selected_) {
      Cohort::step_summary(rows, position, count, summaries);
      own_logits_ = false;
      return;
    }
    decode(rows, position);
    own_logits_ = true;
    const std::size_t selected = rows.size() * static_cast<std::size_t>(selected_);
    std::vector<float> values(selected);
    std::vector<std::int32_t> tokens(selected);
    std::vector<float> sums(rows.size());
    const CudaStream& stream = programs_.stream;
    stream.copy(values.data(), values_.data(), selected * 4, cudaMemcpyDeviceToHost);
    stream.copy(tokens.data(), best_.data(), selected * 4, cudaMemcpyDeviceToHost);
    stream.copy(sums.data(), sums_.data(), sums.size() * 4, cudaMemcpyDeviceToHost);
    stream.wait();
    for (std::size_t row = 0; row < rows.size(); ++row) {
      LogitSummary& summary = summaries[row];
      summary.log_sum = sums[row];
      summary.best.clear();
      for (int i = 0; i < selected_; ++i) {
        const std::size_t at =
            row * static_cast<std::size_t>(selected_) + static_cast<std::size_t>(i);
        summary.best.push_back({values[at], tokens[at]});
      }
      std::ranges::sort(summary.best, better);  // TensorRT leaves the order of equals open
      summary.best.resize(static_cast<std::size_t>(std::min(count, selected_)));
    }
  }

  void logits_of(std::size_t row, std::span<float> logits) override {
    if (!own_logits_) return Cohort::logits_of(row, logits);
    programs_.stream.copy(logits.data(), logits_.data() + row * logits.size_bytes(),
                          logits.size_bytes(), cudaMemcpyDeviceToHost);
    programs_.stream.wait();
  }

 private:
  void reserve() {
    const auto rows = static_cast<std::size_t>(most_rows_);
    for (CachedTensor& one : self_) {
      one.now.reserve(one.bytes(most_rows_, room_));
      one.then.reserve(one.bytes(most_rows_, room_));
    }
    for (CachedTensor& one : cross_) one.now.reserve(one.bytes(most_rows_, tokens_));
    logits_.reserve(rows * static_cast<std::size_t>(vocab_size_) * 4);
    const Dims selection = programs_.decoder.fixed_shape(kBestValues);
    selected_ = static_cast<int>(selection.d[selection.nbDims - 1]);
    values_.reserve(rows * static_cast<std::size_t>(selected_) * 4);
    best_.reserve(rows * static_cast<std::size_t>(selected_) * 4);
    sums_.reserve(rows * 4);
    // Recorded steps read them where they are.
    ids_.reserve(rows * sizeof(std::int64_t));
    mask_.reserve(rows * static_cast<std::size_t>(tokens_) * sizeof(std::int64_t));
    parents_.reserve(rows * sizeof(std::int32_t));
    position_.reserve(sizeof(std::int64_t));
  }

  /// `values` on the device, in `buffer`, until the next upload to it. CUDA has read them, from
  /// memory that is not pinned, when the call returns.
  template <typename T>
  const void* upload(const std::vector<T>& values, DeviceBuffer& buffer) {
    buffer.reserve(values.size() * sizeof(T));
    programs_.stream.copy(buffer.data(), values.data(), values.size() * sizeof(T),
                          cudaMemcpyHostToDevice);
    return buffer.data();
  }

  /// 1 for the tokens of each of these documents, 0 for padding.
  [[nodiscard]] std::vector<std::int64_t> mask_of(const std::vector<int>& documents) const {
    std::vector<std::int64_t> mask;
    for (const int document : documents) {
      const int length = lengths_[static_cast<std::size_t>(document)];
      mask.insert(mask.end(), static_cast<std::size_t>(length), 1);
      mask.insert(mask.end(), static_cast<std::size_t>(tokens_ - length), 0);
    }
    return mask;
  }

  void encode(std::span<const std::vector<std::int32_t>> documents, int least) {
    std::vector<std::int64_t> ids;
    for (const auto& document : documents) {
      ids.insert(ids.end(), document.begin(), document.end());
      ids.resize(ids.size() + static_cast<std::size_t>(tokens_) - document.size());
      rows_of_.push_back(static_cast<int>(rows_of_.size()));
    }
    // Further documents are the first one again; nobody looks at what becomes of them.
    std::vector<int> padded = rows_of_;
    padded.resize(std::max(rows_of_.size(), static_cast<std::size_t>(least)));
    while (ids.size() < padded.size() * static_cast<std::size_t>(tokens_)) {
      ids.push_back(ids[ids.size() % static_cast<std::size_t>(tokens_)]);
    }
    const int count = static_cast<int>(padded.size());
    Plan& plan = programs_.encoder;
    plan.input("input_ids", Dims2(count, tokens_), upload(ids, ids_));
    plan.input("attention_mask", Dims2(count, tokens_), upload(mask_of(padded), mask_));
    hidden_shape_ = plan.shape("last_hidden_state");
    hidden_row_bytes_ = elements(hidden_shape_) / static_cast<std::size_t>(count) *
                        plan.element_size("last_hidden_state");
    hidden_.reserve(hidden_row_bytes_ * static_cast<std::size_t>(count));
    plan.output("last_hidden_state", hidden_.data());
    plan.run(programs_.stream);
  }

  void decode(std::span<const CohortRow> rows, int position) {
    std::vector<std::int64_t> tokens;
    std::vector<int> documents;
    std::vector<std::int32_t> parents;
    for (const CohortRow& row : rows) {
      tokens.push_back(row.token);
      documents.push_back(row.document);
      parents.push_back(row.parent);
    }
    if (documents != rows_of_) rearrange(documents, parents, position);
    (void)upload(tokens, ids_);
    if (position == 0) {
      first_step(static_cast<int>(rows.size()));
    } else {
      (void)upload(parents, parents_);
      (void)upload(std::vector<std::int64_t>{position}, position_);
      later_step(static_cast<int>(rows_of_.size()), static_cast<int>(rows.size()), position);
    }
    rows_of_ = std::move(documents);
  }

  /// Beams begin, or documents have left.
  void rearrange(const std::vector<int>& documents, const std::vector<std::int32_t>& parents,
                 int position) {
    if (position == 0) {
      gather(hidden_, hidden_row_bytes_, documents);
    } else {
      for (CachedTensor& one : cross_) {
        gather(one.now, one.bytes(1, tokens_), {parents.begin(), parents.end()});
      }
    }
    (void)upload(mask_of(documents), mask_);
    steps_alike_ = 0;
    recorded_ = {};
  }

  void first_step(int count) {
    Plan& plan = programs_.decoder;
    plan.input("input_ids", Dims2(count, 1), ids_.data());
    plan.input("encoder_attention_mask", Dims2(count, tokens_), mask_.data());
    plan.input("encoder_hidden_states", Dims3(count, tokens_, hidden_shape_.d[2]), hidden_.data());
    for (CachedTensor& one : cross_) plan.output(one.present, one.now.data());
    for (CachedTensor& one : self_) plan.output(one.present, one.then.data());
    bind_results(plan);
    plan.run(programs_.stream);
    for (CachedTensor& one : self_) one.begin(programs_.stream, count, room_);
  }

  /// Of `count` rows, after a step of `before` rows. Steps of one shape are the same work but for
  /// which set of buffers they read: two recordings repeat them all.
  void later_step(int before, int count, int position) {
    Plan& plan = programs_.decoder_with_past;
    std::optional<CudaGraph>& recorded = recorded_[static_cast<std::size_t>(position % 2)];
    if (!recorded) {
      bind_later(plan, before, count);
      // The first run of a shape may prepare what later ones find done, and cannot be recorded.
      if (steps_alike_ > 0 && can_record_) {
        recorded = CudaGraph::record(programs_.stream, [&] { plan.run(programs_.stream); });
        can_record_ = recorded.has_value();
      }
    }
    if (recorded) {
      recorded->launch(programs_.stream);
    } else {
      plan.run(programs_.stream);
    }
    for (CachedTensor& one : self_) std::swap(one.now, one.then);
    steps_alike_ = before == count ? steps_alike_ + 1 : 0;
  }

  void bind_later(Plan& plan, int before, int count) {
    Dims one_axis{};
    one_axis.nbDims = 1;
    one_axis.d[0] = 1;
    plan.input(kPosition, one_axis, position_.data());
    one_axis.d[0] = count;
    plan.input(kParents, one_axis, parents_.data());
    plan.input("input_ids", Dims2(count, 1), ids_.data());
    plan.input("encoder_attention_mask", Dims2(count, tokens_), mask_.data());
    for (CachedTensor& one : self_) {
      plan.input(one.past, one.sized(before, room_), one.now.data());
      plan.output(one.present, one.then.data());
    }
    for (CachedTensor& one : cross_) {
      plan.input(one.past, one.sized(count, tokens_), one.now.data());
    }
    bind_results(plan);
  }

  void bind_results(Plan& plan) {
    plan.output("logits", logits_.data());
    plan.output(kBestValues, values_.data());
    plan.output(kBestTokens, best_.data());
    plan.output(kLogSum, sums_.data());
  }

  /// Rows of `bytes` each become the rows `which`. Seldom: when documents leave or beams begin.
  void gather(DeviceBuffer& buffer, std::size_t bytes, const std::vector<int>& which) {
    DeviceBuffer gathered;
    gathered.reserve(bytes * static_cast<std::size_t>(most_rows_));
    for (std::size_t row = 0; row < which.size(); ++row) {
      programs_.stream.copy(gathered.data() + row * bytes,
                            buffer.data() + static_cast<std::size_t>(which[row]) * bytes, bytes,
                            cudaMemcpyDeviceToDevice);
    }
    programs_.stream.wait();  // before the old memory is given back
    buffer = std::move(gathered);
  }

  TensorRTPrograms& programs_;
  int vocab_size_;
  int most_rows_;
  int room_;                  // positions of the cache: the most steps
  std::vector<int> lengths_;  // tokens of each document
  int tokens_ = 0;            // of the longest
  int selected_ = 0;          // tokens of a row that the device selects
  bool own_logits_ = false;   // the newest step's are on the device only
  std::vector<int> rows_of_;  // the document of each row of the step before
  int steps_alike_ = 0;       // later steps of the shape that the newest one had
  bool can_record_ = true;
  std::array<std::optional<CudaGraph>, 2> recorded_;  // by whether the position is odd
  Dims hidden_shape_{};
  std::size_t hidden_row_bytes_ = 0;
  std::vector<CachedTensor> self_;
  std::vector<CachedTensor> cross_;
  DeviceBuffer ids_, mask_, parents_, position_, hidden_, logits_, values_, best_, sums_;
};

std::unique_ptr<nvinfer1::IRuntime> new_runtime(TensorRTLog& log) {
  std::unique_ptr<nvinfer1::IRuntime> runtime(nvinfer1::createInferRuntime(log));
  if (runtime != nullptr) return runtime;
  throw Error(ErrorKind::unsupported, "TensorRT cannot start", {.found = log.take()});
}

}  // namespace

TensorRTPrograms::TensorRTPrograms(const PlanFile& file, TensorRTLog& log)
    : runtime(new_runtime(log)),
      encoder(*runtime, file.plan("encoder"), "encoder", log),
      decoder(*runtime, file.plan("decoder"), "decoder", log),
      decoder_with_past(*runtime, file.plan("decoder_with_past"), "decoder_with_past", log) {}

TensorRTBackend::TensorRTBackend(const PlanFile& file, TensorRTLog& log)
    : file_(file.file->name()),
      profile_(file.profile),
      vocab_size_(file.file->metadata().config.vocab_size),
      programs_(file, log) {}

std::unique_ptr<Cohort> TensorRTBackend::start(std::span<const std::vector<std::int32_t>> documents,
                                               int max_rows, int max_length) {
  int longest = 0;
  for (const auto& document : documents) {
    longest = std::max(longest, static_cast<int>(document.size()));
  }
  const TensorRTShape least{.batch = profile_.min_batch, .sequence = profile_.min_sequence};
  require_inside(profile_,
                 {.batch = std::max(static_cast<int>(documents.size()), least.batch),
                  .sequence = std::max(longest, least.sequence)},
                 file_);
  return std::make_unique<TensorRTCohort>(programs_, documents, vocab_size_, least, max_rows,
                                          max_length);
}

std::size_t TensorRTBackend::most_documents(int max_rows) const {
  if (max_rows > profile_.max_batch) {
    throw Error(ErrorKind::invalid_argument, "more beams than the engine's profile has rows",
                {.file = file_,
                 .field = "num_beams",
                 .found = std::to_string(max_rows),
                 .expected = "at most " + std::to_string(profile_.max_batch),
                 .hint = "convert with a larger max_batch_size"});
  }
  return static_cast<std::size_t>(profile_.max_batch / max_rows);
}

}  // namespace kobolt
