#include "compile/section_builder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "base/aligned.h"
#include "base/float16.h"
#include "compile/compact_json.h"
#include "kernels/kernels.h"
#include "kernels/sparse.h"
#include "kobolt/error.h"
#include "kobolt/int4_rounding.h"

namespace kobolt {

namespace {

void check_f16(const std::string& name, const std::vector<float>& values) {
  for (const float value : values) {
    if (std::isfinite(value) && std::isinf(f32_from_f16(f16_from_f32(value)))) {
      throw Error(ErrorKind::invalid_argument, "a weight is too large for fp16",
                  {.field = name,
                   .found = fmt::format("{}", value),
                   .expected = "at most 65504",
                   .hint = fmt::format("use bf16, or --layer '{}=bf16'", name)});
    }
  }
}

/// The layouts that a matrix of one number format can have.
struct Layouts {
  Layout dense;
  Layout blocks;
  Layout values;
};

/// A form and the bytes that it takes.
using StoredForm = std::pair<kernels::SparseForm, std::uint64_t>;

/// The smaller form, where it saves a tenth of the bytes.
std::optional<StoredForm> smallest_form(const kernels::SparseSizes& sizes,
                                        std::uint64_t dense_bytes) {
  using kernels::SparseForm;
  // Blocks are faster, so they win where both are equal.
  const auto best = sizes.blocks <= sizes.values ? StoredForm(SparseForm::blocks, sizes.blocks)
                                                 : StoredForm(SparseForm::values, sizes.values);
  if (best.second > dense_bytes - dense_bytes / 10) return std::nullopt;
  return best;
}

/// Blocks, where enough of them are missing to pay for gathering the others' activations: a quarter
/// of the bytes, and of int8, whose dense products are the fastest, two fifths
/// (docs/performance.md). Single zeros never pay.
std::optional<StoredForm> fast_form(const kernels::SparseSizes& sizes, std::size_t value_bytes,
                                    std::uint64_t dense_bytes) {
  const std::uint64_t least = value_bytes == 1 ? dense_bytes * 2 / 5 : dense_bytes / 4;
  if (sizes.blocks > dense_bytes - least) return std::nullopt;
  return StoredForm(kernels::SparseForm::blocks, sizes.blocks);
}

/// How to store W [n, k]; nothing: whole.
std::optional<StoredForm> sparse_form(SparseStorage storage, const std::vector<float>& values,
                                      int n, int k, std::size_t value_bytes,
                                      std::uint64_t dense_bytes) {
  if (storage == SparseStorage::off) return std::nullopt;
  const kernels::SparseSizes sizes = kernels::sparse_sizes(values.data(), k, n, k, value_bytes);
  // The forms save the padding of a narrow matrix too; that alone is no reason.
  const bool zeros = sizes.zeros * 10 >= values.size();
  if (!sizes.possible || !zeros) return std::nullopt;
  return storage == SparseStorage::smallest ? smallest_form(sizes, dense_bytes)
                                            : fast_form(sizes, value_bytes, dense_bytes);
}

}  // namespace

std::vector<float> SectionBuilder::values(const std::string& tensor,
                                          std::vector<std::int64_t> shape) const {
  const Tensor found = model_.effective_tensor(tensor);
  if (found.shape != shape) {
    throw Error(ErrorKind::invalid_argument, "wrong shape",
                {.file = model_.provenance.source,
                 .field = tensor,
                 .found = fmt::format("[{}]", fmt::join(found.shape, ", ")),
                 .expected = fmt::format("[{}]", fmt::join(shape, ", "))});
  }
  return found.to_f32();
}

void SectionBuilder::packed(const std::string& name, const std::vector<float>& values, int n,
                            int k) {
  const auto add = [&](const Layouts& layouts, const auto& data) {
    const auto stored = std::as_bytes(std::span(data));
    using Value = std::remove_cvref_t<decltype(data[0])>;
    if (const auto form =
            sparse_form(options_.sparse, values, n, k, sizeof(Value), stored.size())) {
      AlignedVector<std::byte> packed(form->second);
      kernels::pack_sparse(form->first, values.data(), k, n, k, data.data(), packed.data());
      const bool blocks = form->first == kernels::SparseForm::blocks;
      return writer_.add(name + ".weight", blocks ? layouts.blocks : layouts.values, {n, k},
                         packed);
    }
    writer_.add(name + ".weight", layouts.dense, {n, k}, stored);
  };
  switch (plan_.of(name)) {
    case Precision::fp32: {
      AlignedVector<float> data(kernels::packed_f32_size(n, k));
      kernels::pack_f32(values.data(), k, n, k, data.data());
      return add({Layout::panels_f32, Layout::blocks_f32, Layout::values_f32}, data);
    }
    case Precision::fp16: {
      check_f16(name, values);
      AlignedVector<std::uint16_t> data(kernels::packed_16_size(n, k));
      kernels::pack_f16(values.data(), k, n, k, data.data());
      return add({Layout::panels_f16, Layout::blocks_f16, Layout::values_f16}, data);
    }
    case Precision::bf16: {
      AlignedVector<std::uint16_t> data(kernels::packed_16_size(n, k));
      kernels::pack_bf16(values.data(), k, n, k, data.data());
      return add({Layout::panels_bf16, Layout::blocks_bf16, Layout::values_bf16}, data);
    }
    case Precision::int8: {
      AlignedVector<std::int8_t> data(kernels::packed_i8_size(n, k));
      AlignedVector<float> scales(static_cast<std::size_t>(kernels::padded(n)));
      kernels::pack_i8(values.data(), k, n, k, data.data(), scales.data());
      add({Layout::panels_i8, Layout::blocks_i8, Layout::values_i8}, data);
      writer_.add(name + ".scales", Layout::rows_f32, {kernels::padded(n)},
                  std::as_bytes(std::span(scales)));
      return;
    }
    case Precision::int4:
      return packed_int4(name, values, n, k);
  }
}

void SectionBuilder::packed_int4(const std::string& name, const std::vector<float>& values, int n,
                                 int k) {
  const auto add = [&](std::span<const std::uint8_t> blocks) {
    writer_.add(name + ".weight", Layout::panels_i4, {n, k}, std::as_bytes(blocks));
  };
  const Int4Matrix* rounded = options_.int4 ? options_.int4->find(name) : nullptr;
  if (rounded != nullptr) {
    if (rounded->n != n || rounded->k != k ||
        rounded->blocks.size() != kernels::packed_i4_size(n, k)) {
      throw Error(ErrorKind::invalid_argument, "the int4 weights are of another shape",
                  {.field = name,
                   .found = fmt::format("[{}, {}]", rounded->n, rounded->k),
                   .expected = fmt::format("[{}, {}]", n, k),
                   .hint = "round_to_int4() the model as it is compiled, after pruning it"});
    }
    return add(rounded->blocks);
  }
  AlignedVector<std::uint8_t> data(kernels::packed_i4_size(n, k));
  kernels::pack_i4(values.data(), k, n, k, data.data());
  add(data);
}

void SectionBuilder::linear(const std::string& name, std::initializer_list<std::string> modules,
                            int rows, int k) {
  std::vector<float> weight;
  std::vector<float> bias;
  for (const std::string& module : modules) {
    const auto w = values(module + ".weight", {rows, k});
    const auto b = values(module + ".bias", {rows});
    weight.insert(weight.end(), w.begin(), w.end());
    bias.insert(bias.end(), b.begin(), b.end());
  }
  packed(name, weight, static_cast<int>(bias.size()), k);
  padded_vector(name + ".bias", std::move(bias));
}

void SectionBuilder::matrix(const std::string& name, const std::string& tensor, int n, int k) {
  packed(name, values(tensor, {n, k}), n, k);
}

void SectionBuilder::norm(const std::string& name, const std::string& module, int d) {
  for (const auto& [ours, theirs] : {std::pair(".gamma", ".weight"), std::pair(".beta", ".bias")}) {
    const auto vector = values(module + theirs, {d});
    writer_.add(name + ours, Layout::rows_f32, {d}, std::as_bytes(std::span(vector)));
  }
}

void SectionBuilder::table(const std::string& name, const std::vector<float>& values, int rows,
                           int d) {
  const auto add = [&](Layout layout, const auto& data) {
    writer_.add(name, layout, {rows, d}, std::as_bytes(std::span(data)));
  };
  const auto halves = [&](auto round) {
    std::vector<std::uint16_t> data(values.size());
    std::ranges::transform(values, data.begin(), round);
    return data;
  };
  switch (plan_.of(name)) {
    case Precision::fp32:
      return add(Layout::rows_f32, values);
    case Precision::fp16:
      check_f16(name, values);
      return add(Layout::rows_f16, halves(f16_from_f32));
    case Precision::bf16:
      return add(Layout::rows_bf16, halves(bf16_from_f32));
    case Precision::int8:
    case Precision::int4:  // positions are looked up, not multiplied: there is no form of 4 bits
      return quantized_table(name, values, rows, d);
  }
}

void SectionBuilder::quantized_table(const std::string& name, const std::vector<float>& values,
                                     int rows, int d) {
  std::vector<std::int8_t> data(values.size());
  std::vector<float> scales(static_cast<std::size_t>(rows));
  for (std::size_t row = 0; row < scales.size(); ++row) {
    const auto source =
        std::span(values).subspan(row * static_cast<std::size_t>(d), static_cast<std::size_t>(d));
    float largest = 0;
    for (const float value : source) largest = std::max(largest, std::abs(value));
    scales[row] = largest / 127.0F;
    const float inverse = largest > 0 ? 127.0F / largest : 0.0F;
    for (std::size_t i = 0; i < source.size(); ++i) {
      data[row * static_cast<std::size_t>(d) + i] =
          static_cast<std::int8_t>(std::lrint(source[i] * inverse));
    }
  }
  writer_.add(name, Layout::rows_i8, {rows, d}, std::as_bytes(std::span(data)));
  writer_.add(name + ".scales", Layout::rows_f32, {rows}, std::as_bytes(std::span(scales)));
}

void SectionBuilder::padded_vector(const std::string& name, std::vector<float> values) {
  values.resize(static_cast<std::size_t>(kernels::padded(static_cast<int>(values.size()))));
  writer_.add(name, Layout::rows_f32, {static_cast<std::int64_t>(values.size())},
              std::as_bytes(std::span(values)));
}

void SectionBuilder::file(const std::string& name, std::string_view content) {
  const std::string stored = name.ends_with(".json") ? compact_json(content) : std::string(content);
  writer_.add("tokenizer/" + name, Layout::bytes, {static_cast<std::int64_t>(stored.size())},
              std::as_bytes(std::span(stored)));
}

}  // namespace kobolt
