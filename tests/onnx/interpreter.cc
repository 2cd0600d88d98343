#include "onnx/interpreter.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numbers>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/float16.h"

namespace kobolt::onnx {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw std::runtime_error(what); }

std::int64_t elements(const Ints& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

Array array(Ints shape) {
  const auto size = static_cast<std::size_t>(elements(shape));
  return {.shape = std::move(shape), .values = std::vector<double>(size)};
}

/// Runs through all indices of `shape`, the last one fastest.
void for_each_index(const Ints& shape, const std::function<void(const Ints&)>& visit) {
  Ints index(shape.size());
  for (std::int64_t i = 0; i < elements(shape); ++i) {
    visit(index);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

/// Where the element of an array of this shape is at an index of what it is broadcast to.
std::size_t offset_of(const Ints& shape, const Ints& index) {
  const std::size_t skip = index.size() - shape.size();
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    offset = offset * shape[d] + (shape[d] == 1 ? 0 : index[skip + d]);
  }
  return static_cast<std::size_t>(offset);
}
double& at(Array& x, const Ints& index) { return x.values.at(offset_of(x.shape, index)); }
double at(const Array& x, const Ints& index) { return x.values.at(offset_of(x.shape, index)); }

Ints broadcast(const Ints& a, const Ints& b) {
  Ints shape(std::max(a.size(), b.size()), 1);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const auto size = [&](const Ints& s) {
      return d + s.size() < shape.size() ? 1 : s[d + s.size() - shape.size()];
    };
    const std::int64_t x = size(a);
    const std::int64_t y = size(b);
    if (x != y && x != 1 && y != 1) refuse("shapes that do not broadcast");
    shape[d] = x == 1 ? y : x;
  }
  return shape;
}

/// One node's inputs and attributes, and the operators.
class Operation {
 public:
  Operation(const NodeDef& node, int opset, std::vector<const Array*> inputs)
      : node_(node), opset_(opset), inputs_(std::move(inputs)) {}

  Array run() const {
    const std::string& op = node_.op_type;
    if (op == "Add") return zip([](double a, double b) { return a + b; });
    if (op == "Sub") return zip([](double a, double b) { return a - b; });
    if (op == "Mul") return zip([](double a, double b) { return a * b; });
    if (op == "Div") return zip([](double a, double b) { return a / b; });
    if (op == "Equal") return zip([](double a, double b) { return a == b ? 1.0 : 0.0; });
    if (op == "LessOrEqual") return zip([](double a, double b) { return a <= b ? 1.0 : 0.0; });
    if (op == "Sqrt") return map([](double x) { return std::sqrt(x); });
    if (op == "Erf") return map([](double x) { return std::erf(x); });
    if (op == "Tanh") return map([](double x) { return std::tanh(x); });
    if (op == "Relu") return map([](double x) { return std::max(x, 0.0); });
    if (op == "Sigmoid") return map([](double x) { return 1 / (1 + std::exp(-x)); });
    if (op == "Gelu") return gelu();
    if (op == "Cast") return cast();
    if (op == "MatMul") return matmul();
    if (op == "Softmax") return softmax();
    if (op == "LayerNormalization") return layer_normalization();
    if (op == "ReduceMean") return reduce_mean();
    if (op == "Gather") return gather();
    if (op == "Concat") return concat();
    if (op == "Transpose") return transpose();
    if (op == "Reshape") return reshape();
    if (op == "Unsqueeze") return unsqueeze();
    if (op == "Shape") return shape();
    if (op == "Range") return range();
    if (op == "Where") return where();
    if (op == "DequantizeLinear") return dequantize();
    if (op == "QuantizeLinear") return quantize();
    refuse("no operator " + op);
  }

 private:
  [[nodiscard]] const Array& in(std::size_t i) const { return *inputs_.at(i); }

  template <typename T>
  T attribute(const std::string& name) const {
    for (const Attribute& attribute : node_.attributes) {
      if (attribute.name == name) return std::get<T>(attribute.value);
    }
    refuse(node_.name + " has no attribute " + name);
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return std::ranges::any_of(node_.attributes, [&](const auto& a) { return a.name == name; });
  }
  [[nodiscard]] Ints ints(std::size_t i) const {
    return {in(i).values.begin(), in(i).values.end()};
  }
  [[nodiscard]] std::size_t axis(const char* name, std::size_t rank) const {
    const auto axis = attribute<std::int64_t>(name);
    return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
  }

  Array map(const std::function<double(double)>& f) const {
    Array y = in(0);
    std::ranges::transform(y.values, y.values.begin(), f);
    return y;
  }

  Array zip(const std::function<double(double, double)>& f) const {
    Array y = array(broadcast(in(0).shape, in(1).shape));
    for_each_index(y.shape, [&](const Ints& i) { at(y, i) = f(at(in(0), i), at(in(1), i)); });
    return y;
  }

  Array where() const {
    Array y = array(broadcast(in(0).shape, broadcast(in(1).shape, in(2).shape)));
    for_each_index(y.shape, [&](const Ints& i) {
      at(y, i) = at(in(0), i) != 0 ? at(in(1), i) : at(in(2), i);
    });
    return y;
  }

  Array gelu() const {
    if (opset_ < 20) refuse("Gelu is newer");
    if (has("approximate") && attribute<std::string>("approximate") == "tanh") {
      return map([](double x) {
        return x / 2 *
               (1 + std::tanh(std::sqrt(2 * std::numbers::inv_pi) * (x + 0.044715 * x * x * x)));
      });
    }
    return map([](double x) { return x / 2 * (1 + std::erf(x / std::numbers::sqrt2)); });
  }

  Array cast() const {
    switch (static_cast<ElementType>(attribute<std::int64_t>("to"))) {
      case ElementType::boolean:
        return map([](double x) { return x != 0 ? 1.0 : 0.0; });
      case ElementType::f16:
        return map([](double x) {
          return static_cast<double>(f32_from_f16(f16_from_f32(static_cast<float>(x))));
        });
      default:
        return in(0);
    }
  }

  Array matmul() const {
    const Array& a = in(0);
    const Array& b = in(1);
    const std::int64_t m = a.shape.end()[-2];
    const std::int64_t k = a.shape.back();
    const std::int64_t n = b.shape.back();
    if (b.shape.end()[-2] != k) refuse(node_.name + ": inner sizes differ");
    Ints shape =
        broadcast({a.shape.begin(), a.shape.end() - 2}, {b.shape.begin(), b.shape.end() - 2});
    const Ints batch = shape;
    shape.insert(shape.end(), {m, n});
    Array y = array(shape);
    for_each_index(batch, [&](const Ints& outer) {
      Ints index = outer;
      index.insert(index.end(), {0, 0});
      const double* left = a.values.data() + offset_of(a.shape, index);
      const double* right = b.values.data() + offset_of(b.shape, index);
      double* out = y.values.data() + offset_of(y.shape, index);
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          for (std::int64_t l = 0; l < k; ++l) out[i * n + j] += left[i * k + l] * right[l * n + j];
        }
      }
    });
    return y;
  }

  /// Calls `f` with each stretch of the last dimension of a copy of the first input.
  Array over_last(const std::function<void(std::span<double>)>& f) const {
    Array y = in(0);
    const auto size = static_cast<std::size_t>(y.shape.back());
    for (std::size_t i = 0; i < y.values.size(); i += size) f(std::span(y.values).subspan(i, size));
    return y;
  }

  Array softmax() const {
    if (attribute<std::int64_t>("axis") != -1) refuse("softmax over another axis");
    return over_last([](std::span<double> row) {
      const double most = *std::ranges::max_element(row);
      double sum = 0;
      for (double& x : row) sum += x = std::exp(x - most);
      for (double& x : row) x /= sum;
    });
  }

  Array layer_normalization() const {
    if (opset_ < 17) refuse("LayerNormalization is newer");
    const auto epsilon = static_cast<double>(attribute<float>("epsilon"));
    return over_last([&](std::span<double> row) {
      const auto n = static_cast<double>(row.size());
      const double mean = std::accumulate(row.begin(), row.end(), 0.0) / n;
      double variance = 0;
      for (const double x : row) variance += (x - mean) * (x - mean) / n;
      for (std::size_t i = 0; i < row.size(); ++i) {
        row[i] =
            (row[i] - mean) / std::sqrt(variance + epsilon) * in(1).values[i] + in(2).values[i];
      }
    });
  }

  Array reduce_mean() const {
    const Ints axes = opset_ >= 18 ? ints(1) : attribute<Ints>("axes");
    if (axes != Ints{-1}) refuse("mean over other axes");
    Array y = in(0);
    y.shape.back() = 1;
    y.values.clear();
    over_last([&](std::span<double> row) {
      y.values.push_back(std::accumulate(row.begin(), row.end(), 0.0) /
                         static_cast<double>(row.size()));
    });
    return y;
  }

  Array gather() const {
    const Array& table = in(0);
    if (attribute<std::int64_t>("axis") != 0) refuse("gather from another axis");
    const std::int64_t row = elements(table.shape) / table.shape[0];
    Ints shape = in(1).shape;
    shape.insert(shape.end(), table.shape.begin() + 1, table.shape.end());
    Array y{.shape = shape};
    for (const double i : in(1).values) {
      if (i < 0 || i >= static_cast<double>(table.shape[0])) refuse("gather outside of the table");
      const auto begin = table.values.begin() + static_cast<std::int64_t>(i) * row;
      y.values.insert(y.values.end(), begin, begin + row);
    }
    return y;
  }

  Array concat() const {
    const std::size_t where = axis("axis", in(0).shape.size());
    Ints shape = in(0).shape;
    shape[where] += in(1).shape[where];
    Array y = array(shape);
    for_each_index(shape, [&](const Ints& index) {
      Ints from = index;
      const bool second = index[where] >= in(0).shape[where];
      if (second) from[where] -= in(0).shape[where];
      at(y, index) = at(in(second ? 1 : 0), from);
    });
    return y;
  }

  Array transpose() const {
    const auto perm = attribute<Ints>("perm");
    Ints shape;
    for (const std::int64_t d : perm) shape.push_back(in(0).shape.at(static_cast<std::size_t>(d)));
    Array y = array(shape);
    for_each_index(shape, [&](const Ints& index) {
      Ints from(index.size());
      for (std::size_t d = 0; d < perm.size(); ++d)
        from[static_cast<std::size_t>(perm[d])] = index[d];
      at(y, index) = at(in(0), from);
    });
    return y;
  }

  Array reshape() const {
    Array y = in(0);
    y.shape = ints(1);
    for (std::size_t d = 0; d < y.shape.size(); ++d) {
      if (y.shape[d] == 0) y.shape[d] = in(0).shape.at(d);
    }
    if (elements(y.shape) != elements(in(0).shape)) refuse(node_.name + ": another size");
    return y;
  }

  Array unsqueeze() const {
    Array y = in(0);
    Ints axes = ints(1);
    const auto rank = static_cast<std::int64_t>(y.shape.size() + axes.size());
    for (std::int64_t& a : axes) a = a < 0 ? a + rank : a;
    std::ranges::sort(axes);
    for (const std::int64_t a : axes) y.shape.insert(y.shape.begin() + a, 1);
    return y;
  }

  Array shape() const {
    const Ints& of = in(0).shape;
    return {.shape = {static_cast<std::int64_t>(of.size())}, .values = {of.begin(), of.end()}};
  }

  Array range() const {
    if (in(2).values[0] != 1) refuse("a range in other steps");
    Array y;
    const auto end = static_cast<std::int64_t>(in(1).values[0]);
    for (auto i = static_cast<std::int64_t>(in(0).values[0]); i < end; ++i) {
      y.values.push_back(static_cast<double>(i));
    }
    y.shape = {static_cast<std::int64_t>(y.values.size())};
    return y;
  }

  Array dequantize() const {
    const Array& scale = in(1);
    Array y = in(0);
    if (scale.shape.empty()) return map([&](double x) { return x * scale.values[0]; });
    const std::size_t where = axis("axis", y.shape.size());
    const std::int64_t block = has("block_size") ? attribute<std::int64_t>("block_size") : 0;
    if (block > 0 && opset_ < 21) refuse("blocks are newer");
    for_each_index(y.shape, [&](const Ints& index) {
      Ints from = index;
      from[where] = block > 0 ? index[where] / block : index[where];
      at(y, index) *=
          block > 0 ? at(scale, from) : scale.values[static_cast<std::size_t>(from[where])];
    });
    return y;
  }

  Array quantize() const {
    if (!in(1).shape.empty() || in(2).values[0] != 0) refuse("quantisation of another form");
    const double scale = in(1).values[0];
    return map([&](double x) { return std::clamp(std::nearbyint(x / scale), -128.0, 127.0); });
  }

  const NodeDef& node_;
  int opset_;
  std::vector<const Array*> inputs_;
};

template <typename T>
std::vector<double> as_doubles(const Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return {values.begin(), values.end()};
}

Array constant(const TensorDef& tensor) {
  Array y{.shape = tensor.shape};
  switch (tensor.type) {
    case ElementType::f32:
      y.values = as_doubles<float>(tensor.bytes);
      break;
    case ElementType::i8:
      y.values = as_doubles<std::int8_t>(tensor.bytes);
      break;
    case ElementType::i64:
      y.values = as_doubles<std::int64_t>(tensor.bytes);
      break;
    case ElementType::f16:
      for (const double half : as_doubles<std::uint16_t>(tensor.bytes)) {
        y.values.push_back(f32_from_f16(static_cast<std::uint16_t>(half)));
      }
      break;
    case ElementType::i4:
      for (std::int64_t i = 0; i < elements(y.shape); ++i) {
        const auto byte = std::to_integer<int>(tensor.bytes.at(static_cast<std::size_t>(i / 2)));
        const int nibble = (i % 2 == 0 ? byte : byte >> 4) & 0xF;
        y.values.push_back(nibble < 8 ? nibble : nibble - 16);
      }
      break;
    case ElementType::boolean:
      refuse("a boolean constant");
  }
  if (static_cast<std::int64_t>(y.values.size()) != elements(y.shape)) {
    refuse(tensor.name + ": bytes of another size than the shape's");
  }
  return y;
}

}  // namespace

std::map<std::string, Array> evaluate(const ModelDef& model, std::map<std::string, Array> inputs) {
  std::map<std::string, Array> values = std::move(inputs);
  for (const TensorDef& tensor : model.initializers) values[tensor.name] = constant(tensor);
  for (const NodeDef& node : model.nodes) {
    std::vector<const Array*> arguments;
    for (const std::string& name : node.inputs) {
      const auto found = values.find(name);
      if (found == values.end()) refuse(node.name + " uses " + name + " before it exists");
      arguments.push_back(&found->second);
    }
    Array result = Operation(node, model.opset, arguments).run();
    if (!values.emplace(node.output, std::move(result)).second)
      refuse("made twice: " + node.output);
  }
  std::map<std::string, Array> outputs;
  for (const ValueDef& output : model.outputs) outputs[output.name] = values.at(output.name);
  return outputs;
}

}  // namespace kobolt::onnx
