#include "gradient/output.h"

#include <algorithm>
#include <numeric>

namespace kobolt {
namespace {

// Floats of logits at a time.
constexpr int kLogits = 1 << 24;

Matrix some_rows(const Matrix& from, int begin, int end) {
  Matrix part(end - begin, from.columns);
  std::copy(from.row(begin), from.row(end), part.values.begin());
  return part;
}

}  // namespace

OutputLoss::OutputLoss(const MatrixParameter& table, std::span<const float> bias) : table_(table) {
  bias_.resize(static_cast<std::size_t>(kernels::padded(table.rows)));
  std::ranges::fill(bias_, 0.0F);
  std::ranges::copy(bias, bias_.begin());
}

double OutputLoss::run(const Matrix& hidden, std::span<const std::int32_t> labels,
                       Products& products, Matrix* dhidden) {
  const int vocabulary = table_.rows;
  const int d = table_.columns;
  const kernels::PackedF32 weight = products.pack(table_, packed_);
  kernels::PackedF32 transpose;
  if (dhidden != nullptr) {
    *dhidden = Matrix(hidden.rows, d);
    transpose = products.pack_transpose(table_.values, d, vocabulary, packed_transpose_);
  }
  const int chunk = std::max(1, kLogits / vocabulary);
  std::vector<double> losses(static_cast<std::size_t>(hidden.rows));
  for (int first = 0; first < hidden.rows; first += chunk) {
    const Matrix part = some_rows(hidden, first, std::min(first + chunk, hidden.rows));
    Matrix logits(part.rows, vocabulary);
    products.multiply(part, weight, bias_.data(), false, logits);
    constexpr std::int64_t kOperations = 16;  // on each element
    products.executor().rows(part.rows, kOperations * vocabulary, [&](int begin, int end, int) {
      for (int i = begin; i < end; ++i) {
        float* row = logits.row(i);
        const auto at = static_cast<std::size_t>(first) + static_cast<std::size_t>(i);
        losses[at] = static_cast<double>(kernels::log_sum_exp(row, vocabulary)) - row[labels[at]];
        if (dhidden == nullptr) continue;
        kernels::softmax(row, vocabulary, 1, vocabulary);
        row[labels[at]] -= 1.0F;
      }
    });
    if (dhidden == nullptr) continue;
    Matrix dpart(part.rows, d);
    products.multiply(logits, transpose, nullptr, false, dpart);
    std::ranges::copy(dpart.values, dhidden->row(first));
    if (table_.gradient != nullptr) products.add_weight_gradient(logits, part, table_.gradient);
  }
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

}  // namespace kobolt
