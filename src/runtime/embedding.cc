#include "runtime/embedding.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/float16.h"
#include "kernels/block4.h"

namespace kobolt {
namespace {

float widen(float value) { return value; }

// Panels of one value a column and k: column `lane` is every kPanel-th value.
template <class Packed, class Widen>
void add_column(const Packed& table, const Widen& widen_value, int token, float factor,
                float* out) {
  const auto* source =
      table.data +
      static_cast<std::ptrdiff_t>(token / kernels::kPanel) * table.k * kernels::kPanel +
      token % kernels::kPanel;
  for (int i = 0; i < table.k; ++i) {
    out[i] += factor * widen_value(source[static_cast<std::ptrdiff_t>(i) * kernels::kPanel]);
  }
}

struct AddEmbedding {
  int token;
  float factor;
  float* out;

  void operator()(const kernels::PackedF32& table) const {
    add_column(table, widen, token, factor, out);
  }
  void operator()(const kernels::PackedF16& table) const {
    add_column(table, f32_from_f16, token, factor, out);
  }
  void operator()(const kernels::PackedBF16& table) const {
    add_column(table, f32_from_bf16, token, factor, out);
  }
  void operator()(const kernels::SparseF32& table) const { add_kept(table, widen, factor); }
  void operator()(const kernels::SparseF16& table) const { add_kept(table, f32_from_f16, factor); }
  void operator()(const kernels::SparseBF16& table) const {
    add_kept(table, f32_from_bf16, factor);
  }
  void operator()(const kernels::SparseI8& table) const {
    add_kept(
        table, [](std::int8_t q) { return static_cast<float>(q); },
        table.kept.scales[token] * factor);
  }
  template <class Packed, class Widen>
  void add_kept(const kernels::Sparse<Packed>& table, const Widen& widen_value, float scale) const {
    const int column = token % kernels::kPanel;
    kernels::visit_kept(table, token / kernels::kPanel, [&](int l, int j, auto value) {
      // A file's mask may have a bit for the second of the last pair where k is odd.
      if (j == column && l < table.kept.k) out[l] += scale * widen_value(value);
    });
  }
  void operator()(const kernels::PackedI4& table) const {
    const int panel = token / kernels::kPanel;
    const int column = token % kernels::kPanel;
    const std::uint8_t* block = table.data + static_cast<std::ptrdiff_t>(panel) *
                                                 kernels::groups(table.k) * kernels::kBlock4;
    for (int begin = 0; begin < table.k; begin += kernels::kGroup4) {
      const float scale = factor * kernels::block_scale(block, column);
      const int count = std::min(kernels::kGroup4, table.k - begin);
      for (int l = 0; l < count; ++l) {
        out[begin + l] += scale * static_cast<float>(kernels::block_weight(block, column, l));
      }
      block += kernels::kBlock4;
    }
  }
  void operator()(const kernels::PackedI8& table) const {
    const std::ptrdiff_t panel = token / kernels::kPanel;
    const std::int8_t* source =
        table.data +
        (panel * kernels::pairs(table.k) * kernels::kPanel + token % kernels::kPanel) * 2;
    const float scale = table.scales[token] * factor;
    // Pairs are brought together first, so that the compiler may make vectors of the rest.
    constexpr int kPiece = 64;
    for (int begin = 0; begin < table.k; begin += kPiece) {
      std::int8_t values[kPiece];
      const int count = std::min(kPiece, table.k - begin);
      for (int i = 0; i < count; i += 2, source += 2 * kernels::kPanel) {
        std::memcpy(values + i, source, 2);
      }
      float* to = out + begin;
      for (int i = 0; i < count; ++i) to[i] += scale * static_cast<float>(values[i]);
    }
  }
};

template <class Stored, class Widen>
void read_row(const PositionTable& table, const Widen& widen_value, int position, int d,
              float* out) {
  const auto* row =
      reinterpret_cast<const Stored*>(table.data) + static_cast<std::ptrdiff_t>(position) * d;
  for (int i = 0; i < d; ++i) out[i] = widen_value(row[i]);
}

}  // namespace

void add_embedding(const Linear& table, int token, float factor, float* out) {
  std::visit(AddEmbedding{token, factor, out}, table.weight);
}

void read_position(const PositionTable& table, int position, int d, float* out) {
  switch (table.layout) {
    case Layout::rows_f16:
      return read_row<std::uint16_t>(table, f32_from_f16, position, d, out);
    case Layout::rows_bf16:
      return read_row<std::uint16_t>(table, f32_from_bf16, position, d, out);
    case Layout::rows_i8: {
      const float scale = table.scales[position];
      return read_row<std::int8_t>(
          table, [scale](std::int8_t q) { return scale * static_cast<float>(q); }, position, d,
          out);
    }
    default:
      return read_row<float>(table, widen, position, d, out);
  }
}

}  // namespace kobolt
