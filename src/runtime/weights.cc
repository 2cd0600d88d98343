#include "runtime/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace kobolt {
namespace {

std::size_t bytes_of_panel(const kernels::PackedF32& w) {
  return kernels::packed_f32_size(kernels::kPanel, w.k) * sizeof(float);
}
std::size_t bytes_of_panel(const kernels::PackedF16& w) {
  return kernels::packed_16_size(kernels::kPanel, w.k) * sizeof(std::uint16_t);
}
std::size_t bytes_of_panel(const kernels::PackedBF16& w) {
  return kernels::packed_16_size(kernels::kPanel, w.k) * sizeof(std::uint16_t);
}
std::size_t bytes_of_panel(const kernels::PackedI8& w) {
  return kernels::packed_i8_size(kernels::kPanel, w.k);
}
std::size_t bytes_of_panel(const kernels::PackedI4& w) {
  return kernels::packed_i4_size(kernels::kPanel, w.k);
}

template <class Packed>
std::size_t bytes_of_panel(const kernels::Sparse<Packed>& w) {
  constexpr std::size_t kBytes = sizeof(kernels::StoredOf<Packed>);
  const auto panels = static_cast<std::size_t>(kernels::panels(w.kept.n));
  if (panels == 0) return 0;
  return kernels::mask_bytes(w.form, kBytes, w.kept.k) +
         (w.starts[panels] - w.starts[0]) * kBytes / panels;
}

/// Makes the panels from `first` on those of a matrix of its own.
template <class Packed>
void skip_panels(Packed& w, int first) {
  w.data += static_cast<std::ptrdiff_t>(static_cast<std::size_t>(first) * bytes_of_panel(w) /
                                        sizeof(*w.data));
}
template <class Packed>
void skip_panels(kernels::Sparse<Packed>& w, int first) {
  w.starts += first;
  w.masks += static_cast<std::uint64_t>(first) *
             kernels::mask_bytes(w.form, sizeof(kernels::StoredOf<Packed>), w.kept.k);
}

class Binder {
 public:
  explicit Binder(const EngineFile& file) : file_(file) {}

  [[nodiscard]] Linear matrix(const std::string& name, int n, int k) {
    const std::string section = name + ".weight";
    const Layout layout = file_.section(section).layout;
    const std::array<std::int64_t, 2> shape = {n, k};
    // A layout of something else than a matrix is refused by its shape and name.
    const std::byte* data =
        file_.tensor(section, is_matrix(layout) ? layout : Layout::panels_f32, shape).data();
    const auto* halves = reinterpret_cast<const std::uint16_t*>(data);
    Linear linear;
    switch (layout) {
      case Layout::panels_f16:
        linear.weight = kernels::PackedF16{.data = halves, .n = n, .k = k};
        break;
      case Layout::panels_bf16:
        linear.weight = kernels::PackedBF16{.data = halves, .n = n, .k = k};
        break;
      case Layout::panels_i8:
        linear.weight = with_sums(name, {.data = reinterpret_cast<const std::int8_t*>(data),
                                         .scales = vector(name + ".scales", kernels::padded(n)),
                                         .n = n,
                                         .k = k});
        break;
      case Layout::blocks_f32:
      case Layout::values_f32:
        linear.weight = sparse(layout, kernels::PackedF32{.n = n, .k = k}, data);
        break;
      case Layout::blocks_f16:
      case Layout::values_f16:
        linear.weight = sparse(layout, kernels::PackedF16{.n = n, .k = k}, data);
        break;
      case Layout::blocks_bf16:
      case Layout::values_bf16:
        linear.weight = sparse(layout, kernels::PackedBF16{.n = n, .k = k}, data);
        break;
      case Layout::blocks_i8:
      case Layout::values_i8:
        linear.weight =
            sparse(layout,
                   kernels::PackedI8{
                       .scales = vector(name + ".scales", kernels::padded(n)), .n = n, .k = k},
                   data);
        break;
      case Layout::panels_i4:
        linear.weight =
            kernels::PackedI4{.data = reinterpret_cast<const std::uint8_t*>(data), .n = n, .k = k};
        break;
      default:
        linear.weight =
            kernels::PackedF32{.data = reinterpret_cast<const float*>(data), .n = n, .k = k};
        break;
    }
    const RowFormat rows = linear.row_format();
    row_format_ = rows == row_format_.value_or(rows) ? rows : RowFormat::floats;
    return linear;
  }

  [[nodiscard]] Linear linear(const std::string& name, int n, int k) {
    Linear result = matrix(name, n, k);
    result.bias = vector(name + ".bias", kernels::padded(n));
    return result;
  }

  [[nodiscard]] Norm norm(const std::string& name) const {
    const int d = file_.metadata().config.d_model;
    return {.gamma = vector(name + ".gamma", d), .beta = vector(name + ".beta", d)};
  }

  [[nodiscard]] PositionTable positions(const std::string& name) const {
    const ModelConfig& config = file_.metadata().config;
    const std::array<std::int64_t, 2> shape = {config.max_positions, config.d_model};
    const Layout layout = file_.section(name).layout;
    PositionTable table{
        .data = file_.tensor(name, is_table(layout) ? layout : Layout::rows_f32, shape).data(),
        .layout = layout};
    if (layout == Layout::rows_i8) table.scales = vector(name + ".scales", config.max_positions);
    return table;
  }

  [[nodiscard]] const float* vector(const std::string& name, int size) const {
    const std::array<std::int64_t, 1> shape = {size};
    return reinterpret_cast<const float*>(file_.tensor(name, Layout::rows_f32, shape).data());
  }

  [[nodiscard]] std::shared_ptr<const ColumnSums> sums() const { return sums_; }

  [[nodiscard]] RowFormat row_format() const { return row_format_.value_or(RowFormat::floats); }

 private:
  kernels::PackedI8 with_sums(const std::string& name, kernels::PackedI8 w) {
    if (!kernels::prefers_byte_rows()) return w;
    const auto [place, is_new] = sums_->try_emplace(name);
    AlignedVector<std::int32_t>& sums = place->second;
    if (is_new) {
      sums.resize(static_cast<std::size_t>(kernels::padded(w.n)));
      kernels::sum_columns(w, sums.data());
    }
    w.sums = sums.data();
    return w;
  }
  static bool is_matrix(Layout layout) {
    return layout == Layout::panels_f32 || layout == Layout::panels_f16 ||
           layout == Layout::panels_bf16 || layout == Layout::panels_i8 ||
           layout == Layout::panels_i4 || sparse_layout(layout).has_value();
  }
  /// What the file's reader has checked: view_sparse asks for it.
  template <class Packed>
  static kernels::Sparse<Packed> sparse(Layout layout, const Packed& whole, const std::byte* data) {
    return kernels::view_sparse(sparse_layout(layout)->form, whole, data);
  }
  static bool is_table(Layout layout) {
    return layout == Layout::rows_f32 || layout == Layout::rows_f16 ||
           layout == Layout::rows_bf16 || layout == Layout::rows_i8;
  }

  const EngineFile& file_;
  std::shared_ptr<ColumnSums> sums_ = std::make_shared<ColumnSums>();
  std::optional<RowFormat> row_format_;  // of the matrices so far
};

LayerWeights bind_layer(Binder& binder, const ModelConfig& config, const LayerConfig& layer,
                        const std::string& name) {
  const int d = config.d_model;
  const int self = layer.self_heads * layer.head_dim;
  const int cross = layer.cross_heads * layer.head_dim;
  LayerWeights weights;
  weights.qkv = binder.linear(name + ".self_attn.qkv", 3 * self, d);
  weights.self_out = binder.linear(name + ".self_attn.out", d, self);
  weights.self_norm = binder.norm(name + ".self_attn_norm");
  if (cross > 0) {
    weights.cross_q = binder.linear(name + ".cross_attn.q", cross, d);
    weights.cross_kv = binder.linear(name + ".cross_attn.kv", 2 * cross, d);
    weights.cross_out = binder.linear(name + ".cross_attn.out", d, cross);
    weights.cross_norm = binder.norm(name + ".cross_attn_norm");
  }
  weights.fc1 = binder.linear(name + ".fc1", layer.ffn, d);
  weights.fc2 = binder.linear(name + ".fc2", d, layer.ffn);
  weights.ffn_norm = binder.norm(name + ".ffn_norm");
  return weights;
}

SideWeights bind_side(Binder& binder, const ModelConfig& config,
                      const std::vector<LayerConfig>& layers, const std::string& side,
                      int vocabulary) {
  SideWeights weights;
  weights.embedding = binder.matrix(config.shared_embedding ? "embedding" : side + ".embedding",
                                    vocabulary, config.d_model);
  weights.positions = binder.positions(side + ".positions");
  if (config.embedding_norm) weights.embedding_norm = binder.norm(side + ".embedding_norm");
  if (config.final_norm) weights.final_norm = binder.norm(side + ".final_norm");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    weights.layers.push_back(
        bind_layer(binder, config, layers[i], fmt::format("{}.layers.{}", side, i)));
  }
  return weights;
}

}  // namespace

Linear Linear::slice(int panel_begin, int panel_end) const {
  Linear part = *this;
  const int first = panel_begin * kernels::kPanel;
  const auto cut = [&](auto& w) {
    skip_panels(w, panel_begin);
    auto& shape = whole(w);
    shape.n = std::min(panel_end * kernels::kPanel, shape.n) - first;
    if constexpr (requires { shape.scales; }) {
      shape.scales += first;
      if (shape.sums != nullptr) shape.sums += first;
    }
  };
  std::visit(cut, part.weight);
  if (bias != nullptr) part.bias = bias + first;
  return part;
}

std::int64_t Linear::panel_bytes() const {
  return std::visit([](const auto& w) { return static_cast<std::int64_t>(bytes_of_panel(w)); },
                    weight);
}

EngineWeights EngineWeights::bind(std::shared_ptr<const EngineFile> file) {
  Binder binder(*file);
  const ModelConfig& config = file->metadata().config;
  EngineWeights weights;
  weights.encoder =
      bind_side(binder, config, config.encoder_layers, "encoder",
                config.shared_embedding ? config.vocab_size : config.encoder_vocab_size);
  weights.decoder = bind_side(binder, config, config.decoder_layers, "decoder", config.vocab_size);
  weights.lm_head = config.tied_output
                        ? weights.decoder.embedding
                        : binder.matrix("lm_head", config.vocab_size, config.d_model);
  weights.lm_head.bias = binder.vector("logits_bias", kernels::padded(config.vocab_size));
  weights.row_format = binder.row_format();
  weights.sums = binder.sums();
  weights.file = std::move(file);
  return weights;
}

}  // namespace kobolt
