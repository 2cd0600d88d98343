#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "kernels/sparse.h"

// Packing happens once, when an engine is compiled, and checking once when it is opened: no SIMD
// form needed.
namespace kobolt::kernels {
namespace {

constexpr std::uint64_t kPlace = 64;
constexpr std::uint64_t kLoad = 16;  // bytes that the expanding kernels load at a value

std::uint64_t round_up(std::uint64_t size) { return (size + kPlace - 1) / kPlace * kPlace; }

std::uint64_t panels_of(std::int64_t n) {
  return static_cast<std::uint64_t>((n + kPanel - 1) / kPanel);
}

/// Whether any output of a panel has a weight at input l.
bool keeps(const float* w, std::ptrdiff_t ld, int n, int panel, int l) {
  for (int row = panel * kPanel; row < std::min(n, (panel + 1) * kPanel); ++row) {
    if (w[row * ld + l] != 0.0F) return true;
  }
  return false;
}

/// Sets a panel's mask, and calls take(index) for the index, in the dense panel, of each value that
/// is stored, in order; -1 is a zero that fills a pair.
template <class Take>
void walk_panel(SparseForm form, int per, const float* w, std::ptrdiff_t ld, int n, int k,
                int panel, std::uint8_t* mask, const Take& take) {
  const auto set = [mask](std::int64_t bit) {
    mask[bit / 8] = static_cast<std::uint8_t>(mask[bit / 8] | (1U << (bit % 8)));
  };
  const auto index = [per](int l, int column) {
    return (static_cast<std::int64_t>(l / per) * kPanel + column) * per + l % per;
  };
  if (form == SparseForm::values) {
    for (int unit = 0; unit < (k + per - 1) / per; ++unit) {
      for (int i = 0; i < kPanel * per; ++i) {
        const int row = panel * kPanel + i / per;
        const int l = unit * per + i % per;
        if (row >= n || l >= k || w[row * ld + l] == 0.0F) continue;
        set(static_cast<std::int64_t>(unit) * kPanel * per + i);
        take(index(l, i / per));
      }
    }
    return;
  }
  // The kept inputs of one unit: two of them share it in int8, whatever lies between them.
  int held = -1;
  const auto unit = [&](int first, int second) {
    for (int column = 0; column < kPanel; ++column) {
      take(index(first, column));
      if (per == 2) take(second < 0 ? -1 : index(second, column));
    }
  };
  for (int l = 0; l < k; ++l) {
    if (!keeps(w, ld, n, panel, l)) continue;
    set(l);
    if (per == 1) {
      unit(l, -1);
    } else if (held < 0) {
      held = l;
    } else {
      unit(held, l);
      held = -1;
    }
  }
  if (held >= 0) unit(held, -1);
}

template <class Value>
void pack(SparseForm form, const float* w, std::ptrdiff_t ld, int n, int k, const Value* dense,
          std::byte* out) {
  const int per = per_unit(sizeof(Value));
  const SparsePlaces places = sparse_places(form, sizeof(Value), n, k);
  const std::uint64_t stride = mask_bytes(form, sizeof(Value), k);
  const std::ptrdiff_t panel_size = static_cast<std::ptrdiff_t>((k + per - 1) / per) * per * kPanel;
  std::fill_n(out, places.values, std::byte{0});
  auto* masks = reinterpret_cast<std::uint8_t*>(out);
  auto* values = reinterpret_cast<Value*>(out + places.values);
  std::uint32_t count = 0;
  for (int panel = 0; panel < panels(n); ++panel) {
    const Value* source = dense + panel * panel_size;
    walk_panel(form, per, w, ld, n, k, panel, masks + static_cast<std::uint64_t>(panel) * stride,
               [&](std::int64_t index) { values[count++] = index < 0 ? Value{} : source[index]; });
    std::memcpy(out + places.starts + static_cast<std::uint64_t>(panel + 1) * sizeof(count), &count,
                sizeof(count));
  }
  std::fill_n(out + places.values + count * sizeof(Value), places.tail, std::byte{0});
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

std::uint64_t bits_in(std::span<const std::byte> mask) {
  std::uint64_t count = 0;
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= mask.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, mask.data() + i, sizeof(word));
    count += static_cast<std::uint64_t>(std::popcount(word));
  }
  for (; i < mask.size(); ++i) {
    count += static_cast<std::uint64_t>(std::popcount(static_cast<unsigned char>(mask[i])));
  }
  return count;
}

/// Whether any of the bits of a mask from `bits` on is set.
bool bits_after(std::span<const std::byte> mask, std::uint64_t bits) {
  if (bits % 8 != 0 && bits / 8 < mask.size() &&
      std::to_integer<unsigned>(mask[bits / 8]) >> (bits % 8) != 0) {
    return true;
  }
  return !all_zero(mask.subspan(std::min<std::uint64_t>((bits + 7) / 8, mask.size())));
}

std::uint32_t start_of(std::span<const std::byte> stored, const SparsePlaces& places,
                       std::uint64_t panel) {
  std::uint32_t start = 0;
  std::memcpy(&start, stored.data() + places.starts + panel * sizeof(start), sizeof(start));
  return start;
}

}  // namespace

SparsePlaces sparse_places(SparseForm form, std::size_t value_bytes, std::int64_t n,
                           std::int64_t k) {
  SparsePlaces places;
  places.starts = round_up(panels_of(n) * mask_bytes(form, value_bytes, k));
  places.values = round_up(places.starts + (panels_of(n) + 1) * sizeof(std::uint32_t));
  places.tail = form == SparseForm::values ? kLoad : 0;
  return places;
}

SparseSizes sparse_sizes(const float* w, std::ptrdiff_t ld, int n, int k, std::size_t value_bytes) {
  const auto per = static_cast<std::uint64_t>(per_unit(value_bytes));
  SparseSizes sizes;
  std::uint64_t values = 0;
  std::uint64_t blocks = 0;
  for (int panel = 0; panel < panels(n); ++panel) {
    std::uint64_t rows = 0;
    for (int l = 0; l < k; ++l) rows += keeps(w, ld, n, panel, l) ? 1 : 0;
    blocks += (rows + per - 1) / per * per * kPanel;
  }
  for (int row = 0; row < n; ++row) {
    values += static_cast<std::uint64_t>(
        std::count_if(w + row * ld, w + row * ld + k, [](float x) { return x != 0.0F; }));
  }
  const auto size = [&](SparseForm form, std::uint64_t count) {
    const SparsePlaces places = sparse_places(form, value_bytes, n, k);
    return places.values + count * value_bytes + places.tail;
  };
  sizes.blocks = size(SparseForm::blocks, blocks);
  sizes.values = size(SparseForm::values, values);
  sizes.zeros = static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(k) - values;
  sizes.possible = blocks <= std::numeric_limits<std::uint32_t>::max();
  return sizes;
}

void pack_sparse(SparseForm form, const float* w, std::ptrdiff_t ld, int n, int k,
                 const float* dense, std::byte* out) {
  pack(form, w, ld, n, k, dense, out);
}

void pack_sparse(SparseForm form, const float* w, std::ptrdiff_t ld, int n, int k,
                 const std::uint16_t* dense, std::byte* out) {
  pack(form, w, ld, n, k, dense, out);
}

void pack_sparse(SparseForm form, const float* w, std::ptrdiff_t ld, int n, int k,
                 const std::int8_t* dense, std::byte* out) {
  pack(form, w, ld, n, k, dense, out);
}

std::string_view check_sparse(SparseForm form, std::size_t value_bytes, std::int64_t n,
                              std::int64_t k, std::span<const std::byte> stored) {
  const SparsePlaces places = sparse_places(form, value_bytes, n, k);
  if (stored.size() < places.values + places.tail) return "too short for its masks";
  const auto per = static_cast<std::uint64_t>(per_unit(value_bytes));
  const std::uint64_t stride = mask_bytes(form, value_bytes, k);
  const std::uint64_t masks_end = panels_of(n) * stride;
  const std::uint64_t starts_end = places.starts + (panels_of(n) + 1) * sizeof(std::uint32_t);
  if (!all_zero(stored.subspan(masks_end, places.starts - masks_end)) ||
      !all_zero(stored.subspan(starts_end, places.values - starts_end)) ||
      !all_zero(stored.last(places.tail))) {
    return "bad padding inside of it";
  }
  std::uint64_t expected = 0;
  if (start_of(stored, places, 0) != 0) return "its first panel does not start at 0";
  for (std::uint64_t panel = 0; panel < panels_of(n); ++panel) {
    const auto mask = stored.subspan(panel * stride, stride);
    if (form == SparseForm::blocks) {
      if (bits_after(mask, static_cast<std::uint64_t>(k)))
        return "a mask has bits beyond its width";
      expected += (bits_in(mask) + per - 1) / per * per * kPanel;
    } else {
      expected += bits_in(mask);
    }
    if (start_of(stored, places, panel + 1) != expected) {
      return "a panel does not start where the masks before it say";
    }
  }
  if (stored.size() != places.values + expected * value_bytes + places.tail) {
    return "its length does not match its masks";
  }
  return {};
}

std::uint64_t kept_values(SparseForm form, std::size_t value_bytes, std::int64_t n, std::int64_t k,
                          std::span<const std::byte> stored) {
  return start_of(stored, sparse_places(form, value_bytes, n, k), panels_of(n));
}

}  // namespace kobolt::kernels
