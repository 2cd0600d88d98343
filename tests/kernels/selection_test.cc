#include <cstdint>
#include <numeric>

#include "kernel_test.h"
#include "kernels/top_k.h"

namespace kobolt::kernels {
namespace {

float as_ranked(float value) { return std::isnan(value) ? -kInfinity : value; }

/// All indices, best first: larger value, then lower index.
std::vector<std::int32_t> ranking(const std::vector<float>& x, int count) {
  std::vector<std::int32_t> order(x.size());
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&x](std::int32_t a, std::int32_t b) {
                      const float value_a = as_ranked(x[static_cast<std::size_t>(a)]);
                      const float value_b = as_ranked(x[static_cast<std::size_t>(b)]);
                      return value_a != value_b ? value_a > value_b : a < b;
                    });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

class SelectionTest : public KernelTest {
 protected:
  /// Kinds of rows that a vocabulary could give.
  std::vector<std::vector<float>> rows(int n) {
    const auto size = static_cast<std::size_t>(n);
    std::vector<std::vector<float>> result = {random(size), std::vector<float>(size, 1.5F),
                                              std::vector<float>(size, -kInfinity),
                                              std::vector<float>(size, kNan)};
    std::vector<float> few_values(size);
    for (float& value : few_values) value = static_cast<float>(random_integer(0, 3));
    result.push_back(few_values);
    std::vector<float> holes = random(size);
    for (std::size_t i = 0; i < size; ++i) {
      if (i % 3 != 1) holes[i] = i % 3 == 0 ? kNan : -kInfinity;
    }
    result.push_back(holes);
    std::vector<float> rising(size);
    std::iota(rising.begin(), rising.end(), -5.0F);  // every element enters the heap
    result.push_back(rising);
    std::vector<float> infinite = random(size);
    infinite.back() = kInfinity;
    result.push_back(infinite);
    return result;
  }

  void expect_best(const std::vector<float>& x, int count) {
    std::vector<float> values(static_cast<std::size_t>(count) + 1, kGuard);
    std::vector<std::int32_t> indices(static_cast<std::size_t>(count) + 1, -7);
    top_k(x.data(), static_cast<int>(x.size()), count, values.data(), indices.data());
    EXPECT_EQ(values.back(), kGuard);
    EXPECT_EQ(indices.back(), -7);
    indices.pop_back();
    ASSERT_EQ(indices, ranking(x, count)) << "n " << x.size() << ", count " << count;
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(values[static_cast<std::size_t>(i)],
                as_ranked(x[static_cast<std::size_t>(indices[static_cast<std::size_t>(i)])]));
    }
  }
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(SelectionTest);

TEST_P(SelectionTest, TopKEqualsPartialSort) {
  for (const int n : {1, 2, 7, 8, 31, 32, 33, 64, 65, 100, 513, 5000}) {
    for (const std::vector<float>& x : rows(n)) {
      for (const int count : {0, 1, 2, 3, 4, 5, 8, 16, 31, 64}) {
        if (count <= n) expect_best(x, count);
      }
    }
  }
}

TEST_P(SelectionTest, TopKOfAVocabulary) {
  for (const std::vector<float>& x : rows(30000)) {
    for (const int count : {1, 8, 64}) expect_best(x, count);
  }
}

TEST_P(SelectionTest, TopKOfEverythingSorts) {
  for (int n = 1; n <= 70; ++n) {
    for (const std::vector<float>& x : rows(n)) expect_best(x, n);
  }
}

TEST_P(SelectionTest, TopKOfARowInPiecesIsThatOfTheRow) {
  for (const int n : {1, 40, 513, 3000}) {
    for (const std::vector<float>& x : rows(n)) {
      for (const int count : {1, 5, 40}) {
        const int kept = std::min(count, n);
        std::vector<float> expected(static_cast<std::size_t>(kept));
        std::vector<float> values(expected.size());
        std::vector<std::int32_t> expected_indices(expected.size());
        std::vector<std::int32_t> indices(expected.size());
        top_k(x.data(), n, kept, expected.data(), expected_indices.data());
        int size = 0;
        for (int begin = 0, piece = 1; begin < n; begin += piece, piece = 2 * piece + 1) {
          TopKHeap heap(kept, values.data(), indices.data(), size);
          top_k_add(x.data() + begin, std::min(piece, n - begin), begin, heap);
          size = heap.size();
        }
        TopKHeap heap(kept, values.data(), indices.data(), size);
        heap.sort();
        ASSERT_EQ(size, kept);
        ASSERT_EQ(indices, expected_indices);
      }
    }
  }
}

TEST_P(SelectionTest, ArgmaxIsTheFirstOfTheRanking) {
  for (int n = 1; n <= 70; ++n) {
    for (const std::vector<float>& x : rows(n)) {
      ASSERT_EQ(argmax(x.data(), n), ranking(x, 1).front()) << n;
    }
  }
  for (const std::vector<float>& x : rows(30000)) {
    EXPECT_EQ(argmax(x.data(), 30000), ranking(x, 1).front());
  }
}

TEST_P(SelectionTest, ArgmaxFindsTheMaximumAnywhereAndTheLowerOfTwo) {
  for (int n = 1; n <= 40; ++n) {
    for (int i = 0; i < n; ++i) {
      std::vector<float> x(static_cast<std::size_t>(n), kNan);
      x[static_cast<std::size_t>(i)] = -3.0F;
      ASSERT_EQ(argmax(x.data(), n), i);
      x.back() = -3.0F;
      ASSERT_EQ(argmax(x.data(), n), i);
    }
  }
}

/// NaN counts as -infinity, also against -infinity itself.
TEST_P(SelectionTest, ArgmaxOfNanBeforeMinusInfinityIsTheNan) {
  for (const int n : {2, 9, 40}) {
    std::vector<float> x(static_cast<std::size_t>(n), -kInfinity);
    x[0] = kNan;
    EXPECT_EQ(argmax(x.data(), n), 0) << n;
  }
}

}  // namespace
}  // namespace kobolt::kernels
