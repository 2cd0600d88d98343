#include "quantize/row_sample.h"

#include <gtest/gtest.h>

namespace kobolt {
namespace {

TEST(RowSample, IsEvenlySpreadWhateverTheLength) {
  constexpr int kMost = 8;
  RowSample sample(3, kMost);
  for (int i = 0; i < 300; ++i) {
    const auto x = static_cast<float>(i);
    const float row[] = {x, x + 0.25F, x + 0.5F};
    sample.add(row);
    const int seen = i + 1;
    int stride = 1;
    while ((seen + stride - 1) / stride > kMost) stride *= 2;
    ASSERT_EQ(sample.rows(), (seen + stride - 1) / stride) << seen;
    for (int j = 0; j < sample.rows(); ++j) {
      const auto first = static_cast<float>(j * stride);
      const float* kept = &sample.values()[static_cast<std::size_t>(j) * 3];
      ASSERT_EQ(kept[0], first) << seen;
      ASSERT_EQ(kept[2], first + 0.5F) << seen;
    }
  }
}

}  // namespace
}  // namespace kobolt
