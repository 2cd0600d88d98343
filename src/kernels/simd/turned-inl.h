// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_TURNED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_TURNED_INL_H_
#undef KOBOLT_KERNELS_TURNED_INL_H_
#else
#define KOBOLT_KERNELS_TURNED_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/sparse-inl.h"
#include "kernels/simd/turn-inl.h"

// Many rows times a matrix in the form `blocks`, with AVX-512.
//
// Each panel keeps inputs of its own, and taking their activations together would cost as much as
// the products. Instead rows are turned, once for all panels, so that a vector holds an input of 16
// rows; products find it by its place. A tile is 16 rows by the 16 columns of a panel, which are 16
// sums, and what is broadcast is weights. Sums come out turned, and are turned back.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if HWY_TARGET == HWY_AVX3
namespace {
namespace turned {

/// Longest rows: what longer ones need would not fit the stack.
constexpr int kInputs = 4096;
/// Turned rows that wait in L2 while the panels pass by.
constexpr std::ptrdiff_t kRowBytes = 384 << 10;
/// Weights of a group of panels in the form of the tiles; those of one panel always fit.
constexpr std::ptrdiff_t kWeightBytes = kInputs * kPanel * std::ptrdiff_t{sizeof(float)};
/// Kept inputs of a group of panels.
constexpr int kPlaces = 4 * kInputs;
/// Bytes of a slice of turned rows, which stays in L1 while a group of panels passes by.
constexpr int kSliceBytes = 16 << 10;

/// A panel as it is stored.
template <class Packed>
struct KeptPanel {
  using Stored = StoredOf<Packed>;
  KeptPanel(const Sparse<Packed>& w, int panel)
      : mask(w.masks + static_cast<std::uint64_t>(panel) *
                           mask_bytes(SparseForm::blocks, sizeof(Stored), w.kept.k)),
        values(w.kept.data + w.starts[panel]),
        count(static_cast<std::ptrdiff_t>(w.starts[panel + 1]) - w.starts[panel]) {}
  const std::uint8_t* mask;
  const Stored* values;
  std::ptrdiff_t count;
};

/// Panels at work.
template <class Units>
struct Group {
  struct Panel {
    const std::int32_t* places;
    const typename Units::Weight* weights;
    std::ptrdiff_t units;
  };
  Panel panels[gemm::kGroup];
  int count = 0;
};

/// Units: `Value` of rows, `Weight` of a panel as tiles take it, kInputsPerUnit, and
/// tile(x, places, weights, units, accumulate, sums [kPanel][16 rows]).
/// prepare(kept, panel, buffer) gives a panel's weights, in the buffer if need be.
template <class Units, class Packed, class Prepare, class Finish>
HWY_INLINE void many_rows(const typename Units::Value* a, std::ptrdiff_t lda, int m,
                          const Sparse<Packed>& w, int panel_begin, int panel_end,
                          const Prepare& prepare, const Finish& finish) {
  using Value = typename Units::Value;
  using Weight = typename Units::Weight;
  constexpr int kRows = turn::kRows;
  constexpr int kPer = Units::kInputsPerUnit;
  constexpr int kStep = turn::kStep<Value>;
  alignas(64) Value rows[kRowBytes / std::ptrdiff_t{sizeof(Value)}];
  alignas(64) Weight weights[kWeightBytes / std::ptrdiff_t{sizeof(Weight)}];
  alignas(64) typename Units::Sum columns[gemm::kGroup][kPanel * kRows];
  alignas(64) typename Units::Sum sums[kRows * kPanel];
  std::int32_t places[kPlaces];

  const int k = w.kept.k;
  const std::ptrdiff_t strip_size =
      std::ptrdiff_t{std::max(1, (k + kStep - 1) / kStep)} * kStep * kRows;
  const gemm::EvenParts blocks((m + kRows - 1) / kRows,
                               static_cast<int>(std::size(rows) / strip_size));
  constexpr int kSliceInputs = kSliceBytes / (kRows * static_cast<int>(sizeof(Value)));
  const std::ptrdiff_t slices = std::max(1, (k + kSliceInputs - 1) / kSliceInputs);

  for (int block = 0; block < blocks.count(); ++block) {
    const int first_row = blocks.begin(block) * kRows;
    const int strips = blocks.size(block);
    const auto rows_of = [&](int strip) { return std::min(kRows, m - first_row - strip * kRows); };
    for (int strip = 0; strip < strips; ++strip) {
      turn::turn_rows(a + (first_row + strip * kRows) * lda, lda, rows_of(strip), k,
                      rows + strip * strip_size);
    }
    Group<Units> group;
    for (int begin = panel_begin; begin < panel_end; begin += group.count) {
      group.count = 0;
      std::int32_t* place = places;
      Weight* buffer = weights;
      while (group.count < gemm::kGroup && begin + group.count < panel_end) {
        const int panel = begin + group.count;
        const KeptPanel<Packed> kept(w, panel);
        const std::ptrdiff_t units = (kept.count + kPer * kPanel - 1) / (kPer * kPanel);
        if (units * kPer > std::end(places) - place ||
            units * kPer * kPanel > std::end(weights) - buffer) {
          break;
        }
        const int inputs = sparse::list_bits(kept.mask, k, kRows, place);
        std::fill(place + inputs, place + units * kPer, 0);  // their weights are zeros
        group.panels[group.count++] = {place, prepare(kept, panel, buffer), units};
        place += units * kPer;
        buffer += units * kPer * kPanel;
      }
      for (int strip = 0; strip < strips; ++strip) {
        const int row = first_row + strip * kRows;
        for (std::ptrdiff_t slice = 0; slice < slices; ++slice) {
          const bool last = slice + 1 == slices;
          for (int p = 0; p < group.count; ++p) {
            const auto& panel = group.panels[p];
            const std::ptrdiff_t unit = slice * panel.units / slices;
            const std::ptrdiff_t end = (slice + 1) * panel.units / slices;
            if (last) finish.fetch(row, rows_of(strip), begin + p);
            Units::tile(rows + strip * strip_size, panel.places + unit * kPer,
                        panel.weights + unit * kPer * kPanel, end - unit, slice > 0, columns[p]);
            if (!last) continue;
            turn::turn_sums(columns[p], sums);
            finish(sums, row, rows_of(strip), begin + p);
          }
        }
      }
    }
  }
}

}  // namespace turned
}  // namespace
#endif  // HWY_AVX3
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
