#include "tensorrt/tensorrt_cohort.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "export/tensorrt/profile.h"
#include "kobolt/error.h"
#include "tensorrt/device_cache.h"
#include "tensorrt/mirror.h"
#include "tensorrt/network.h"

namespace kobolt {
namespace {

using nvinfer1::Dims;
using nvinfer1::Dims2;
using nvinfer1::Dims3;

class TensorRTCohort : public Cohort {
 public:
  /// `least` is what the profile wants at least: what is missing is padding.
  TensorRTCohort(std::shared_ptr<TensorRTPrograms> programs,
                 std::span<const std::vector<std::int32_t>> documents, int vocab_size,
                 TensorRTShape least, int max_rows, int max_length)
      : Cohort(vocab_size),
        programs_(std::move(programs)),
        stream_(programs_->stream),
        vocab_size_(vocab_size),
        most_rows_(max_rows * static_cast<int>(documents.size())),
        room_(max_length),
        self_(cached_tensors(programs_->decoder_with_past, ".decoder.")),
        cross_(cached_tensors(programs_->decoder_with_past, ".encoder.")) {
    for (const auto& document : documents) {
      lengths_.push_back(static_cast<int>(document.size()));
    }
    tokens_ = std::max(*std::ranges::max_element(lengths_), least.sequence);
    const int encoded = std::max(static_cast<int>(documents.size()), least.batch);
    reserve(encoded);
    encode(documents, encoded);
    while (later_.size() < 2) programs_->lend(later_);
  }
  ~TensorRTCohort() override {
    stream_.settle();
    programs_->take_back(later_);
  }

  void step(std::span<const CohortRow> rows, int position, std::span<float> logits) override {
    decode(rows, position);
    stream_.copy(logits.data(), logits_.data(), logits.size_bytes(), cudaMemcpyDeviceToHost);
    stream_.wait();
  }

  void step_summary(std::span<const CohortRow> rows, int position, int count,
                    std::span<LogitSummary> summaries) override {
    own_logits_ = count <= selected_;
    if (!own_logits_) return Cohort::step_summary(rows, position, count, summaries);
    decode(rows, position);
    const auto selected = static_cast<std::size_t>(selected_);
    const auto values = values_.download(rows.size() * selected, stream_);
    const auto tokens = best_.download(rows.size() * selected, stream_);
    const auto sums = sums_.download(rows.size(), stream_);
    stream_.wait();
    for (std::size_t row = 0; row < rows.size(); ++row) {
      LogitSummary& summary = summaries[row];
      summary.log_sum = sums[row];
      summary.best.clear();
      for (std::size_t at = row * selected; at < (row + 1) * selected; ++at) {
        summary.best.push_back({values[at], tokens[at]});
      }
      std::ranges::sort(summary.best, better);  // TensorRT leaves the order of equals open
      summary.best.resize(static_cast<std::size_t>(count));
    }
  }

  void logits_of(std::size_t row, std::span<float> logits) override {
    if (!own_logits_) return Cohort::logits_of(row, logits);
    stream_.copy(logits.data(), logits_.data() + row * logits.size_bytes(), logits.size_bytes(),
                 cudaMemcpyDeviceToHost);
    stream_.wait();
  }

 private:
  void reserve(int encoded) {
    const auto rows = static_cast<std::size_t>(most_rows_);
    const std::size_t padded =
        static_cast<std::size_t>(std::max(most_rows_, encoded)) * static_cast<std::size_t>(tokens_);
    for (CachedTensor& one : self_) {
      one.now.reserve(one.bytes(most_rows_, room_));
      one.then.reserve(one.bytes(most_rows_, room_));
    }
    for (CachedTensor& one : cross_) one.now.reserve(one.bytes(most_rows_, tokens_));
    logits_.reserve(rows * static_cast<std::size_t>(vocab_size_) * sizeof(float));
    const Dims selection = programs_->decoder.fixed_shape(kBestValues);
    selected_ = static_cast<int>(selection.d[selection.nbDims - 1]);
    values_.reserve(rows * static_cast<std::size_t>(selected_));
    best_.reserve(rows * static_cast<std::size_t>(selected_));
    sums_.reserve(rows);
    ids_.reserve(padded);
    mask_.reserve(padded);
    parents_.reserve(rows);
    position_.reserve(1);
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

  /// `count` rows, of which some may be padding.
  void encode(std::span<const std::vector<std::int32_t>> documents, int count) {
    std::vector<std::int64_t> ids;
    for (const auto& document : documents) {
      ids.insert(ids.end(), document.begin(), document.end());
      ids.resize(ids.size() + static_cast<std::size_t>(tokens_) - document.size());
      rows_of_.push_back(static_cast<int>(rows_of_.size()));
    }
    // Further documents are the first one again; nobody looks at what becomes of them.
    std::vector<int> padded = rows_of_;
    padded.resize(static_cast<std::size_t>(count));
    while (ids.size() < padded.size() * static_cast<std::size_t>(tokens_)) {
      ids.push_back(ids[ids.size() % static_cast<std::size_t>(tokens_)]);
    }
    ids_.upload(ids, stream_);
    mask_.upload(mask_of(padded), stream_);
    PlanContext& encoder = programs_->encoding;
    encoder.input("input_ids", Dims2(count, tokens_), ids_.device());
    encoder.input("attention_mask", Dims2(count, tokens_), mask_.device());
    hidden_shape_ = encoder.shape("last_hidden_state");
    hidden_row_bytes_ = elements(hidden_shape_) / static_cast<std::size_t>(count) *
                        programs_->encoder.element_size("last_hidden_state");
    hidden_.reserve(hidden_row_bytes_ * static_cast<std::size_t>(count));
    encoder.output("last_hidden_state", hidden_.data());
    encoder.run(stream_);
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
    if (position == 0) stream_.wait();  // for the uploads of encode(); every step waits at its end
    if (documents != rows_of_) rearrange(documents, parents, position);
    ids_.upload(tokens, stream_);
    if (position == 0) {
      first_step(static_cast<int>(rows.size()));
    } else {
      parents_.upload(parents, stream_);
      position_.upload(std::vector<std::int64_t>{position}, stream_);
      later_step(static_cast<int>(rows_of_.size()), static_cast<int>(rows.size()), position);
    }
    rows_of_ = std::move(documents);
  }

  /// Beams begin, or documents have left.
  void rearrange(const std::vector<int>& documents, const std::vector<std::int32_t>& parents,
                 int position) {
    for (LaterStep& step : later_) step.forget();
    if (position == 0) {
      gather(hidden_, gathered_, hidden_row_bytes_, documents);
    } else {
      for (CachedTensor& one : cross_) gather(one.now, one.then, one.bytes(1, tokens_), parents);
    }
    mask_.upload(mask_of(documents), stream_);
  }

  void first_step(int count) {
    PlanContext& first = programs_->first;
    first.input("input_ids", Dims2(count, 1), ids_.device());
    first.input("encoder_attention_mask", Dims2(count, tokens_), mask_.device());
    first.input("encoder_hidden_states", Dims3(count, tokens_, hidden_shape_.d[2]), hidden_.data());
    for (CachedTensor& one : cross_) first.output(one.present, one.now.data());
    for (CachedTensor& one : self_) first.output(one.present, one.then.data());
    bind_results(first);
    first.run(stream_);
    for (CachedTensor& one : self_) one.begin(stream_, count, room_);
  }

  /// Of `count` rows, after a step of `before` rows.
  void later_step(int before, int count, int position) {
    LaterStep& step = position % 2 == 0 ? later_.front() : later_.back();
    step.run(
        stream_, [&](PlanContext& context) { bind_later(context, before, count); },
        before == count);
    for (CachedTensor& one : self_) std::swap(one.now, one.then);
  }

  void bind_later(PlanContext& context, int before, int count) {
    context.input(kPosition, Dims{1, {1}}, position_.device());
    context.input(kParents, Dims{1, {count}}, parents_.device());
    context.input("input_ids", Dims2(count, 1), ids_.device());
    context.input("encoder_attention_mask", Dims2(count, tokens_), mask_.device());
    for (CachedTensor& one : self_) {
      context.input(one.past, one.sized(before, room_), one.now.data());
      context.output(one.present, one.then.data());
    }
    for (CachedTensor& one : cross_) {
      context.input(one.past, one.sized(count, tokens_), one.now.data());
    }
    bind_results(context);
  }

  void bind_results(PlanContext& context) {
    context.output("logits", logits_.data());
    context.output(kBestValues, values_.device());
    context.output(kBestTokens, best_.device());
    context.output(kLogSum, sums_.device());
  }

  /// The rows `which` of `bytes` each. `spare` is where they go; then the buffers change places.
  void gather(DeviceBuffer& buffer, DeviceBuffer& spare, std::size_t bytes,
              std::span<const int> which) {
    spare.reserve(bytes * static_cast<std::size_t>(most_rows_));
    for (std::size_t row = 0, count = 1; row < which.size(); row += count, count = 1) {
      const auto follows = [&](std::size_t next) {
        return next < which.size() && which[next] == which[next - 1] + 1;
      };
      while (follows(row + count)) ++count;
      stream_.copy(spare.data() + row * bytes,
                   buffer.data() + static_cast<std::size_t>(which[row]) * bytes, count * bytes,
                   cudaMemcpyDeviceToDevice);
    }
    std::swap(buffer, spare);
  }

  std::shared_ptr<TensorRTPrograms> programs_;
  const CudaStream& stream_;
  int vocab_size_;
  int most_rows_;
  int room_;                  // positions of the cache: the most steps
  std::vector<int> lengths_;  // tokens of each document
  int tokens_ = 0;            // of the longest
  int selected_ = 0;          // tokens of a row that the device selects
  bool own_logits_ = false;   // the newest step's are on the device only
  std::vector<int> rows_of_;  // the document of each row of the step before
  LaterSteps later_;          // those of even positions, those of odd ones
  Dims hidden_shape_{};
  std::size_t hidden_row_bytes_ = 0;
  std::vector<CachedTensor> self_;
  std::vector<CachedTensor> cross_;
  Mirror<std::int64_t> ids_, mask_, position_;
  Mirror<std::int32_t> parents_, best_;
  Mirror<float> values_, sums_;
  DeviceBuffer hidden_, gathered_, logits_;
};

/// Enough for each of the plans, whose runs follow one another.
DeviceBuffer scratch_of(std::initializer_list<const Plan*> plans) {
  std::size_t bytes = 0;
  for (const Plan* plan : plans) bytes = std::max(bytes, plan->scratch_bytes());
  DeviceBuffer scratch;
  scratch.reserve(bytes);
  return scratch;
}

}  // namespace

TensorRTPrograms::TensorRTPrograms(const PlanFile& file, TensorRTLog& log)
    : runtime(new_runtime(log)),
      encoder(*runtime, file.plan("encoder"), "encoder", log),
      decoder(*runtime, file.plan("decoder"), "decoder", log),
      decoder_with_past(*runtime, file.plan("decoder_with_past"), "decoder_with_past", log),
      scratch(scratch_of({&encoder, &decoder, &decoder_with_past})),
      encoding(encoder, scratch),
      first(decoder, scratch) {}

void TensorRTPrograms::lend(LaterSteps& steps) {
  if (spare_.empty()) spare_.emplace_back(PlanContext(decoder_with_past, scratch));
  steps.splice(steps.end(), spare_, spare_.begin());
}

void TensorRTPrograms::take_back(LaterSteps& steps) {
  for (LaterStep& step : steps) step.forget();
  spare_.splice(spare_.end(), steps);
}

TensorRTBackend::TensorRTBackend(const PlanFile& file, TensorRTLog& log)
    : CohortBackend(file.file->metadata().config.vocab_size, file.profile.max_positions),
      file_(file.file->name()),
      profile_(file.profile),
      programs_(std::make_shared<TensorRTPrograms>(file, log)) {}

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
  return std::make_unique<TensorRTCohort>(programs_, documents, vocab_size(), least, max_rows,
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
