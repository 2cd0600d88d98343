#include "libtorch/torch_cohort.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/machine.h"

namespace kobolt {
namespace {

struct PaddedBatch {
  at::Tensor ids;   // [B, S]
  at::Tensor mask;  // [B, S]
};

PaddedBatch pad(std::span<const std::vector<std::int32_t>> documents) {
  std::size_t longest = 0;
  for (const auto& document : documents) longest = std::max(longest, document.size());
  const auto rows = static_cast<std::int64_t>(documents.size());
  PaddedBatch batch{at::zeros({rows, static_cast<std::int64_t>(longest)}, at::kLong),
                    at::zeros({rows, static_cast<std::int64_t>(longest)}, at::kLong)};
  auto* ids = batch.ids.data_ptr<std::int64_t>();
  auto* mask = batch.mask.data_ptr<std::int64_t>();
  for (const auto& document : documents) {
    std::ranges::copy(document, ids);
    std::fill_n(mask, document.size(), 1);
    ids += longest;
    mask += longest;
  }
  return batch;
}

at::Tensor to_tensor(const std::vector<std::int64_t>& values) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  std::ranges::copy(values, tensor.data_ptr<std::int64_t>());
  return tensor;
}

/// The rows `which` of every tensor.
void gather(TorchCache& cache, const std::vector<std::int64_t>& which) {
  const at::Tensor rows = to_tensor(which);
  for (at::Tensor& one : cache) one = one.index_select(0, rows);
}

bool is_identity(const std::vector<std::int64_t>& rows, std::int64_t count) {
  if (static_cast<std::int64_t>(rows.size()) != count) return false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != static_cast<std::int64_t>(i)) return false;
  }
  return true;
}

class TorchCohort : public Cohort {
 public:
  TorchCohort(TorchSteps& steps, std::span<const std::vector<std::int32_t>> documents,
              int vocab_size)
      : Cohort(vocab_size), steps_(steps) {
    const c10::InferenceMode no_gradients;
    const PaddedBatch batch = pad(documents);
    mask_ = batch.mask;
    hidden_ = steps_.encode(batch.ids, batch.mask);
  }

  void step(std::span<const CohortRow> rows, int position, std::span<float> logits) override {
    const c10::InferenceMode no_gradients;
    std::vector<std::int64_t> tokens;
    std::vector<std::int64_t> documents;
    std::vector<std::int64_t> parents;
    for (const CohortRow& row : rows) {
      tokens.push_back(row.token);
      documents.push_back(row.document);
      parents.push_back(row.parent);
    }
    TorchStep step;
    if (position == 0) {
      const at::Tensor which = to_tensor(documents);
      mask_ = mask_.index_select(0, which);
      step = steps_.first(to_tensor(tokens), hidden_.index_select(0, which), mask_, cross_);
      hidden_.reset();
    } else {
      const auto before = static_cast<std::int64_t>(documents_.size());
      if (!is_identity(parents, before)) gather(self_, parents);
      if (documents != documents_) {
        // A row and its parent are of one document.
        gather(cross_, parents);
        mask_ = mask_.index_select(0, to_tensor(parents));
      }
      step = steps_.next(to_tensor(tokens), to_tensor({position}), mask_, self_, cross_);
    }
    documents_ = std::move(documents);
    self_ = std::move(step.self);
    const at::Tensor result = step.logits.contiguous();
    std::memcpy(logits.data(), result.data_ptr<float>(), logits.size_bytes());
  }

 private:
  TorchSteps& steps_;
  at::Tensor hidden_;  // until the first step
  at::Tensor mask_;    // of documents, then of rows
  TorchCache self_;
  TorchCache cross_;
  std::vector<std::int64_t> documents_;  // of the rows of the step before
};

}  // namespace

TorchBackend::TorchBackend(std::shared_ptr<TorchSteps> steps, int vocab_size, int max_positions,
                           int threads)
    : CohortBackend(vocab_size, max_positions), steps_(std::move(steps)) {
  at::set_num_threads(threads > 0 ? threads : usable_cores());
}

std::unique_ptr<Cohort> TorchBackend::start(std::span<const std::vector<std::int32_t>> documents,
                                            int /*max_rows*/, int /*max_length*/) {
  return std::make_unique<TorchCohort>(*steps_, documents, vocab_size());
}

std::size_t TorchBackend::most_documents(int /*max_rows*/) const {
  return std::numeric_limits<std::size_t>::max();
}

void TorchBackend::encode_hidden(std::span<const std::vector<std::int32_t>> documents,
                                 float* hidden) {
  const c10::InferenceMode no_gradients;
  const PaddedBatch batch = pad(documents);
  const at::Tensor states = steps_->encode(batch.ids, batch.mask).contiguous();
  const auto width = static_cast<std::size_t>(states.size(2));
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::size_t count = documents[i].size() * width;
    std::copy_n(states[static_cast<std::int64_t>(i)].data_ptr<float>(), count, hidden);
    hidden += count;
  }
}

}  // namespace kobolt
