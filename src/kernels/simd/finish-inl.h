// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_FINISH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_FINISH_INL_H_
#undef KOBOLT_KERNELS_FINISH_INL_H_
#else
#define KOBOLT_KERNELS_FINISH_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "kernels/kernels.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/logits-inl.h"
#include "kernels/simd/math-inl.h"

// From the sums of a tile to what a product leaves in memory, for all number formats.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

using gemm::FloatTag;
using gemm::kLanes;
using gemm::kVectors;

// `Products` of Finish turn sums into floats: of_columns(column) takes what belongs to a vector of
// columns into registers, and gives a function of the sums of a row and the bias, which it adds.
// kCloseness is that of activations.

/// Sums of floats are their products.
struct FloatProducts {
  static constexpr Closeness kCloseness = Closeness::exact;

  [[nodiscard]] HWY_INLINE auto of_columns(int /*column*/) const {
    return [](const float* sums, int /*row*/, hn::Vec<FloatTag> bias) {
      return hn::Add(hn::LoadU(FloatTag(), sums), bias);
    };
  }
};

/// Asks for a line that will be written, and for no other core to have it. Where AVX-512 is, so is
/// the instruction, which GCC would replace by one that only reads.
HWY_INLINE void fetch_to_write(const float* line) {
#if HWY_TARGET == HWY_AVX3
  asm volatile("prefetchw %0" : : "m"(*line));
#else
  __builtin_prefetch(line, 1);
#endif
}

/// Stores a tile, c = act(products + bias) + residual, or gives it to a sink.
template <class Products>
class Finish {
 public:
  Finish(const Products& products, int n, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue)
      : products_(products), n_(n), c_(c), ldc_(ldc), epilogue_(epilogue) {}

  template <class Sum>
  HWY_INLINE void operator()(const Sum* sums, int row, int rows, int panel) const {
    const int column = panel * kPanel;
    if (epilogue_.sink != nullptr) {
      if (n_ - column >= kPanel) {
        to_sink<true>(sums, row, rows, column);
      } else {
        to_sink<false>(sums, row, rows, column);
      }
      return;
    }
    with_activation(epilogue_.activation, [&]<Activation kActivation>() {
      if (n_ - column >= kPanel) {
        whole_panel<kActivation>(sums, row, rows, column);
      } else {
        part_of_panel<kActivation>(sums, row, rows, column);
      }
    });
  }

  /// Asks the caches for the lines that a tile will be stored to. They are as far apart as rows,
  /// which no prefetcher of the hardware follows.
  HWY_INLINE void fetch(int row, int rows, int panel) const {
    if (epilogue_.sink != nullptr) return;
    const std::ptrdiff_t column = static_cast<std::ptrdiff_t>(panel) * kPanel;
    for (int r = 0; r < rows; ++r) fetch_to_write(c_ + (row + r) * ldc_ + column);
    if (epilogue_.residual == nullptr) return;
    for (int r = 0; r < rows; ++r) {
      __builtin_prefetch(epilogue_.residual + (row + r) * epilogue_.ld_residual + column);
    }
  }

 private:
  /// A vector of columns: products + bias of a row. What is the same for all rows is held in
  /// registers; stores to c could change anything that is read again.
  [[nodiscard]] HWY_INLINE auto values_of_columns(int column) const {
    // Zeros are added where there is no bias: a product's last multiplication is fused with this
    // addition, and equal sums make equal values wherever a tile goes.
    const auto bias = epilogue_.bias != nullptr ? hn::LoadU(FloatTag(), epilogue_.bias + column)
                                                : hn::Zero(FloatTag());
    return [products = products_.of_columns(column), bias](const auto* sums, int row) {
      return products(sums, row, bias);
    };
  }

  /// kCount rows of a vector of columns: `value_of` is that of values_of_columns().
  template <Activation kActivation, int kCount, class ValueOf, class Sum>
  HWY_INLINE void store_rows(const ValueOf& value_of, const Sum* sums, int row, int column) const {
    const FloatTag tag;
    Several<FloatTag, kCount> values;
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) values[r] = value_of(sums + r * kPanel, row + r);
    activate_each<kActivation, Products::kCloseness>(tag, values);
    float* out = c_ + row * ldc_ + column;
    const float* residual = epilogue_.residual;
    if (residual != nullptr) residual += row * epilogue_.ld_residual + column;
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) {
      if (residual != nullptr) {
        values[r] = hn::Add(values[r], hn::LoadU(tag, residual + r * epilogue_.ld_residual));
      }
      hn::StoreU(values[r], tag, out + r * ldc_);
    }
  }

  template <Activation kActivation, class Sum>
  HWY_NOINLINE void whole_panel(const Sum* sums, int row, int rows, int column) const {
    for (int v = 0; v < kVectors; ++v) {
      const int first = column + v * kLanes;
      const auto value_of = values_of_columns(first);
      const Sum* of_row = sums + v * kLanes;
      int r = 0;
      for (; r + kTogether <= rows; r += kTogether, of_row += kTogether * kPanel) {
        store_rows<kActivation, kTogether>(value_of, of_row, row + r, first);
      }
      for (; r < rows; ++r, of_row += kPanel) {
        store_rows<kActivation, 1>(value_of, of_row, row + r, first);
      }
    }
  }

  template <bool kWhole, class Sum>
  HWY_NOINLINE void to_sink(const Sum* sums, int row, int rows, int column) const {
    for (int v = 0; v < kVectors; ++v) {
      const int first = column + v * kLanes;
      const auto value_of = values_of_columns(first);
      logits::take<kWhole>(*epilogue_.sink, row, rows, first, n_, [&](int r) {
        return value_of(sums + r * kPanel + v * kLanes, row + r);
      });
    }
  }

  /// The last panel of a width that is no multiple of kPanel: nothing is read or written past n.
  template <Activation kActivation, class Sum>
  HWY_NOINLINE void part_of_panel(const Sum* sums, int row, int rows, int column) const {
    const int columns = n_ - column;
    for (int r = 0; r < rows; ++r) {
      float results[kPanel];
      for (int v = 0; v < kVectors; ++v) {
        const auto value_of = values_of_columns(column + v * kLanes);
        Several<FloatTag, 1> value(value_of(sums + r * kPanel + v * kLanes, row + r));
        activate_each<kActivation, Products::kCloseness>(FloatTag(), value);
        hn::StoreU(value[0], FloatTag(), results + v * kLanes);
      }
      float* out = c_ + (row + r) * ldc_ + column;
      const float* residual = epilogue_.residual == nullptr
                                  ? nullptr
                                  : epilogue_.residual + (row + r) * epilogue_.ld_residual + column;
      for (int j = 0; j < columns; ++j) {
        out[j] = residual == nullptr ? results[j] : results[j] + residual[j];
      }
    }
  }

  Products products_;
  int n_;
  float* c_;
  std::ptrdiff_t ldc_;
  const Epilogue& epilogue_;
};

}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
