#include "runtime/onnx_cohort.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "kobolt/error.h"

namespace kobolt {
namespace {

/// Documents that are padded to one length. More do not make products faster, but padding grows
/// with what separates their lengths, and when one leaves, the caches of all others are copied.
constexpr int kMostDocuments = 8;

struct PaddedDocuments {
  OnnxTensor ids;   // [R, S]
  OnnxTensor mask;  // [R, S], 1 for tokens, 0 for padding
};

PaddedDocuments pad_documents(const OnnxGraphs& graphs,
                              std::span<const std::vector<std::int32_t>> documents) {
  std::size_t longest = 0;
  for (const auto& document : documents) longest = std::max(longest, document.size());
  const auto width =
      static_cast<std::size_t>(graphs.sequence().value_or(static_cast<int>(longest)));
  const auto rows =
      static_cast<std::size_t>(graphs.batch().value_or(static_cast<int>(documents.size())));
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(rows),
                                        static_cast<std::int64_t>(width)};
  PaddedDocuments padded{OnnxTensor(graphs.functions(), OnnxElement::i64, shape),
                         OnnxTensor(graphs.functions(), OnnxElement::i64, shape)};
  auto* ids = padded.ids.data<std::int64_t>();
  auto* mask = padded.mask.data<std::int64_t>();
  for (std::size_t row = 0; row < rows; ++row, ids += width, mask += width) {
    // Rows beyond the documents are the first one again; nobody looks at what becomes of them.
    const auto& document = documents[row < documents.size() ? row : 0];
    std::ranges::fill(ids, ids + width, 0);
    std::ranges::fill(mask, mask + width, 0);
    std::ranges::copy(document, ids);
    std::fill_n(mask, document.size(), 1);
  }
  return padded;
}

class OnnxCohort : public Cohort {
 public:
  OnnxCohort(OnnxGraphs& graphs, std::span<const std::vector<std::int32_t>> documents,
             int vocab_size)
      : Cohort(vocab_size), graphs_(graphs), vocab_size_(static_cast<std::size_t>(vocab_size)) {
    PaddedDocuments padded = pad_documents(graphs, documents);
    hidden_ = graphs_.encode(padded.ids, padded.mask);
    mask_ = std::move(padded.mask);
    documents_.resize(static_cast<std::size_t>(hidden_.shape().front()));
    std::iota(documents_.begin(), documents_.end(), 0);
  }

  void step(std::span<const CohortRow> rows, int position, std::span<float> logits) override {
    decode(rows, position);
    std::memcpy(logits.data(), logits_.data<float>(), logits.size_bytes());
  }

  void step_summary(std::span<const CohortRow> rows, int position, int count,
                    std::span<LogitSummary> summaries) override {
    decode(rows, position);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      summarize_row(row_logits(row), count, summaries[row]);
    }
  }

  void logits_of(std::size_t row, std::span<float> logits) override {
    std::ranges::copy(row_logits(row), logits.begin());
  }

 private:
  [[nodiscard]] std::span<const float> row_logits(std::size_t row) const {
    return {logits_.data<float>() + row * vocab_size_, vocab_size_};
  }

  /// Where each row of this step stood in the step before, and which document it belongs to. Of
  /// graphs that fix their rows, those that nobody asked for stay what they are.
  void place(std::span<const CohortRow> rows, int position) {
    const auto count =
        static_cast<std::size_t>(graphs_.batch().value_or(static_cast<int>(rows.size())));
    from_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= rows.size()) {
        from_[i] = static_cast<int>(i);
      } else {
        from_[i] = position == 0 ? rows[i].document : rows[i].parent;
      }
    }
  }

  void decode(std::span<const CohortRow> rows, int position) {
    place(rows, position);
    std::vector<int> documents;
    documents.reserve(from_.size());
    for (const int row : from_) documents.push_back(documents_[static_cast<std::size_t>(row)]);
    const bool same_documents = documents == documents_;
    const bool same_rows = same_documents && std::ranges::is_sorted(from_) &&
                           std::ranges::adjacent_find(from_) == from_.end();
    for (std::size_t i = 0; position > 0 && i < cache_.size(); ++i) {
      const bool stays = graphs_.cache()[i].grows ? same_rows : same_documents;
      if (!stays) cache_[i] = cache_[i].rows(from_);
    }
    if (!same_documents) mask_ = mask_.rows(from_);

    OnnxTensor tokens(graphs_.functions(), OnnxElement::i64,
                      {static_cast<std::int64_t>(from_.size()), 1});
    auto* ids = tokens.data<std::int64_t>();
    for (std::size_t i = 0; i < from_.size(); ++i) {
      ids[i] = i < rows.size() ? rows[i].token : rows.front().token;
    }
    if (position == 0) {
      if (!same_documents) hidden_ = hidden_.rows(from_);
      logits_ = graphs_.first(tokens, mask_, hidden_, cache_);
      hidden_ = {};
    } else {
      logits_ = graphs_.next(tokens, mask_, cache_);
    }
    documents_ = std::move(documents);
  }

  OnnxGraphs& graphs_;
  std::size_t vocab_size_;
  OnnxTensor hidden_;  // until the first step
  OnnxTensor mask_;    // of documents, then of rows
  OnnxTensor logits_;  // of the newest step
  std::vector<OnnxTensor> cache_;
  std::vector<int> documents_;  // of the rows of the step before
  std::vector<int> from_;       // of the step in progress
};

}  // namespace

std::unique_ptr<Cohort> OnnxBackend::start(std::span<const std::vector<std::int32_t>> documents,
                                           int /*max_rows*/, int /*max_length*/) {
  return std::make_unique<OnnxCohort>(*graphs_, documents, vocab_size());
}

std::size_t OnnxBackend::most_documents(int max_rows) const {
  const std::optional<int> batch = graphs_->batch();
  if (!batch) return kMostDocuments;
  if (max_rows > *batch) {
    throw Error(ErrorKind::invalid_argument,
                "more beams than the rows that the graphs are fixed to",
                {.file = graphs_->encoder().file(),
                 .field = "num_beams",
                 .found = std::to_string(max_rows),
                 .expected = "at most " + std::to_string(*batch),
                 .hint = "export with --dynamic-axes all, or with a larger --batch"});
  }
  return static_cast<std::size_t>(*batch / max_rows);
}

void OnnxBackend::encode_hidden(std::span<const std::vector<std::int32_t>> documents,
                                float* hidden) {
  const std::size_t most = most_documents(1);
  for (std::size_t at = 0; at < documents.size(); at += std::min(most, documents.size() - at)) {
    const auto part = documents.subspan(at, std::min(most, documents.size() - at));
    const PaddedDocuments padded = pad_documents(*graphs_, part);
    const OnnxTensor states = graphs_->encode(padded.ids, padded.mask);
    const auto width = static_cast<std::size_t>(states.shape().back());
    const std::size_t row = states.row_bytes() / sizeof(float);
    for (std::size_t i = 0; i < part.size(); ++i) {
      const std::size_t count = part[i].size() * width;
      std::copy_n(states.data<float>() + i * row, count, hidden);
      hidden += count;
    }
  }
}

}  // namespace kobolt
