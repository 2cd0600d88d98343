#include "onnx/model_reader.h"

#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>

#include "base/mapped_file.h"

namespace kobolt::onnx {
namespace {

[[noreturn]] void malformed(const char* what) {
  throw std::runtime_error(std::string("not ONNX: ") + what);
}

struct Field {
  int number = 0;
  std::uint64_t integer = 0;  // of a varint or fixed 32 bits
  std::string_view bytes;
};

class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  void for_each(const std::function<void(const Field&)>& visit) {
    while (!rest_.empty()) {
      const std::uint64_t tag = varint();
      Field field{.number = static_cast<int>(tag >> 3U)};
      switch (tag & 7U) {
        case 0:
          field.integer = varint();
          break;
        case 2:
          field.bytes = take(varint());
          break;
        case 5: {
          std::uint32_t bits = 0;
          std::memcpy(&bits, take(sizeof bits).data(), sizeof bits);
          field.integer = bits;
          break;
        }
        default:
          malformed("wire type");
      }
      visit(field);
    }
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80U) return value;
    }
    malformed("varint");
  }

  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) malformed("length");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
};

std::pair<std::string, std::string> entry(std::string_view bytes) {
  std::pair<std::string, std::string> pair;
  Message(bytes).for_each(
      [&](const Field& field) { (field.number == 1 ? pair.first : pair.second) = field.bytes; });
  return pair;
}

Attribute attribute(std::string_view bytes) {
  Attribute result;
  Ints ints;
  float real = 0;
  std::int64_t integer = 0;
  std::string text;
  std::uint64_t type = 0;
  Message(bytes).for_each([&](const Field& field) {
    switch (field.number) {
      case 1:
        result.name = field.bytes;
        break;
      case 2: {
        const auto bits = static_cast<std::uint32_t>(field.integer);
        std::memcpy(&real, &bits, sizeof real);
        break;
      }
      case 3:
        integer = static_cast<std::int64_t>(field.integer);
        break;
      case 4:
        text = field.bytes;
        break;
      case 8:
        ints.push_back(static_cast<std::int64_t>(field.integer));
        break;
      case 20:
        type = field.integer;
        break;
      default:
        malformed("attribute");
    }
  });
  if (type == 1) result.value = real;
  if (type == 2) result.value = integer;
  if (type == 3) result.value = text;
  if (type == 7) result.value = ints;
  return result;
}

NodeDef node(std::string_view bytes) {
  NodeDef result;
  Message(bytes).for_each([&](const Field& field) {
    switch (field.number) {
      case 1:
        result.inputs.emplace_back(field.bytes);
        break;
      case 2:
        if (!result.output.empty()) malformed("a second output");
        result.output = field.bytes;
        break;
      case 3:
        result.name = field.bytes;
        break;
      case 4:
        result.op_type = field.bytes;
        break;
      case 5:
        result.attributes.push_back(attribute(field.bytes));
        break;
      default:
        malformed("node");
    }
  });
  return result;
}

TensorDef tensor(std::string_view bytes, const std::filesystem::path& folder) {
  TensorDef result;
  std::string_view raw;
  std::uint64_t external = 0;
  Message(bytes).for_each([&](const Field& field) {
    switch (field.number) {
      case 1:
        result.shape.push_back(static_cast<std::int64_t>(field.integer));
        break;
      case 2:
        result.type = static_cast<ElementType>(field.integer);
        break;
      case 8:
        result.name = field.bytes;
        break;
      case 9:
        raw = field.bytes;
        break;
      case 13: {
        const auto [key, value] = entry(field.bytes);
        if (key == "location") result.file = value;
        if (key == "offset") result.offset = std::stoull(value);
        if (key == "length") result.length = std::stoull(value);
        break;
      }
      case 14:
        external = field.integer;
        break;
      default:
        malformed("tensor");
    }
  });
  std::string outside;
  if (external == 1) {
    outside = read_text_file(folder / result.file);
    if (result.offset + result.length > outside.size()) malformed("external data");
    raw = std::string_view(outside).substr(result.offset, result.length);
  }
  const auto* begin = reinterpret_cast<const std::byte*>(raw.data());
  result.bytes.assign(begin, begin + raw.size());
  return result;
}

Dimension dimension(std::string_view bytes) {
  Dimension result;
  Message(bytes).for_each([&](const Field& field) {
    if (field.number == 1) result = static_cast<std::int64_t>(field.integer);
    if (field.number == 2) result = std::string(field.bytes);
  });
  return result;
}

ValueDef value(std::string_view bytes) {
  ValueDef result;
  Message(bytes).for_each([&](const Field& field) {
    if (field.number == 1) result.name = field.bytes;
    if (field.number != 2) return;
    Message(field.bytes).for_each([&](const Field& type) {
      if (type.number != 1) malformed("a value that is no tensor");
      Message(type.bytes).for_each([&](const Field& part) {
        if (part.number == 1) result.type = static_cast<ElementType>(part.integer);
        if (part.number != 2) return;
        Message(part.bytes).for_each([&](const Field& dim) {
          result.shape.push_back(dimension(dim.bytes));
        });
      });
    });
  });
  return result;
}

void read_graph(std::string_view bytes, const std::filesystem::path& folder, ModelDef& model) {
  Message(bytes).for_each([&](const Field& field) {
    switch (field.number) {
      case 1:
        model.nodes.push_back(node(field.bytes));
        break;
      case 2:
        model.graph_name = field.bytes;
        break;
      case 5:
        model.initializers.push_back(tensor(field.bytes, folder));
        break;
      case 11:
        model.inputs.push_back(value(field.bytes));
        break;
      case 12:
        model.outputs.push_back(value(field.bytes));
        break;
      default:
        malformed("graph");
    }
  });
}

}  // namespace

ReadModel read_model(const std::filesystem::path& path) {
  const std::string bytes = read_text_file(path);
  ReadModel read;
  Message(bytes).for_each([&](const Field& field) {
    switch (field.number) {
      case 1:
        read.ir_version = static_cast<std::int64_t>(field.integer);
        break;
      case 2:
        read.producer = field.bytes;
        break;
      case 3:
        break;  // its version
      case 7:
        read_graph(field.bytes, path.parent_path(), read.model);
        break;
      case 8:
        Message(field.bytes).for_each([&](const Field& opset) {
          if (opset.number == 2) read.model.opset = static_cast<int>(opset.integer);
        });
        break;
      case 14:
        read.model.properties.push_back(entry(field.bytes));
        break;
      default:
        malformed("model");
    }
  });
  return read;
}

}  // namespace kobolt::onnx
