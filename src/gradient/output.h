#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "gradient/matrix.h"
#include "gradient/parameters.h"
#include "gradient/products.h"

namespace kobolt {

/// The output projection with the cross-entropy behind it: logits = hidden . W^T + bias, loss =
/// the sum over rows of log(sum(exp(logits))) - logits[label]. Logits exist for some rows at a time
/// only: a vocabulary is large.
class OutputLoss {
 public:
  /// `bias` [rows of `table`] or empty.
  OutputLoss(const MatrixParameter& table, std::span<const float> bias);

  /// The loss of the rows of `hidden`, each with its label; unless null, `dhidden` becomes the
  /// gradient of `hidden`, and the table's is added up.
  double run(const Matrix& hidden, std::span<const std::int32_t> labels, Products& products,
             Matrix* dhidden);

 private:
  MatrixParameter table_;
  AlignedVector<float> bias_;
  AlignedVector<float> packed_;
  AlignedVector<float> packed_transpose_;
};

}  // namespace kobolt
