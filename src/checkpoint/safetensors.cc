#include "checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "checkpoint/json_fields.h"
#include "kobolt/error.h"
#include "model/convert.h"

namespace kobolt {
namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = 8;
// A header takes about 120 bytes a tensor. The reference implementation allows three times this,
// which as parsed JSON would be gigabytes.
constexpr std::uint64_t kMaxHeader = 32U << 20U;

constexpr std::array kDTypes{DType::f32, DType::f16, DType::bf16, DType::i64,     DType::i32,
                             DType::i16, DType::i8,  DType::u8,   DType::boolean, DType::f64};

[[noreturn]] void fail(const std::string& file, const std::string& field, const char* message,
                       std::string found = "", std::string expected = "") {
  throw Error(
      ErrorKind::corrupt, message,
      {.file = file, .field = field, .found = std::move(found), .expected = std::move(expected)});
}

std::uint64_t load_u64(const std::byte* bytes) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8U | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

/// Reads one tensor's entry of the header.
class EntryReader {
 public:
  EntryReader(const std::string& file, const std::string& tensor, const json& entry)
      : file_(file), tensor_(tensor), entry_(entry) {
    if (!entry.is_object()) fail(file_, tensor_, "not an object", entry.type_name());
  }

  [[nodiscard]] DType dtype() const {
    const json& value = member("dtype");
    if (!value.is_string()) fail(file_, tensor_, "dtype is not a string", value.type_name());
    const auto& name = value.get_ref<const std::string&>();
    for (const DType dtype : kDTypes) {
      if (name_of(dtype) == name) return dtype;
    }
    throw Error(ErrorKind::unsupported, "cannot read tensors of this number format",
                {.file = file_,
                 .field = tensor_,
                 .found = name,
                 .hint = "convert the checkpoint to F32, F16 or BF16"});
  }

  [[nodiscard]] std::vector<std::int64_t> shape() const {
    const json& value = member("shape");
    if (!value.is_array()) fail(file_, tensor_, "shape is not a list", value.type_name());
    std::vector<std::int64_t> shape;
    for (const json& extent : value) {
      shape.push_back(static_cast<std::int64_t>(
          natural(extent, std::numeric_limits<std::int64_t>::max(), "shape")));
    }
    return shape;
  }

  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> offsets() const {
    const json& value = member("data_offsets");
    if (!value.is_array() || value.size() != 2) {
      fail(file_, tensor_, "data_offsets is not a pair of numbers");
    }
    constexpr auto kLimit = std::numeric_limits<std::uint64_t>::max();
    return {natural(value[0], kLimit, "data_offsets"), natural(value[1], kLimit, "data_offsets")};
  }

 private:
  [[nodiscard]] const json& member(const char* key) const {
    const auto found = entry_.find(key);
    if (found == entry_.end()) fail(file_, tensor_, "the header entry is incomplete", "", key);
    return *found;
  }

  [[nodiscard]] std::uint64_t natural(const json& value, std::uint64_t limit,
                                      const char* what) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > limit) {
      fail(file_, tensor_, "the header entry is wrong", value.dump(),
           std::string("whole numbers in ") + what);
    }
    return value.get<std::uint64_t>();
  }

  const std::string& file_;
  const std::string& tensor_;
  const json& entry_;
};

/// Bytes of a tensor, or nothing where that does not fit 64 bits.
std::optional<std::uint64_t> byte_count(DType dtype, const std::vector<std::int64_t>& shape) {
  std::uint64_t count = size_of(dtype);
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(extent), &count)) return {};
  }
  return count;
}

std::string_view header_of(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < kLengthBytes) {
    fail(name, "", "the file is truncated", std::to_string(bytes.size()) + " bytes");
  }
  const std::uint64_t length = load_u64(bytes.data());
  if (length > kMaxHeader || length > bytes.size() - kLengthBytes) {
    fail(name, "header length", "not a safetensors file, or a truncated one",
         std::to_string(length) + " bytes",
         "at most " +
             std::to_string(std::min<std::uint64_t>(kMaxHeader, bytes.size() - kLengthBytes)));
  }
  return {reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length};
}

}  // namespace

std::map<std::string, Tensor> read_safetensors(const SourceFile& file) {
  const std::string& name = file.name;
  const auto bytes = file.bytes;
  const std::string_view header = header_of(bytes, name);
  const json entries = parse_json_object(header, name);
  const auto data = bytes.subspan(kLengthBytes + header.size());

  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
    const std::string* tensor;
  };
  std::vector<Range> ranges;
  std::map<std::string, Tensor> tensors;
  for (const auto& [key, value] : entries.items()) {
    if (key == "__metadata__") continue;
    const EntryReader entry(name, key, value);
    Tensor tensor;
    tensor.dtype = entry.dtype();
    tensor.shape = entry.shape();
    const auto [begin, end] = entry.offsets();
    if (end < begin || end > data.size()) {
      fail(name, key, "the data lies outside the file",
           std::to_string(begin) + ".." + std::to_string(end),
           "within " + std::to_string(data.size()) + " bytes");
    }
    const auto needed = byte_count(tensor.dtype, tensor.shape);
    if (needed != end - begin) {
      fail(name, key, "the data does not have the size of dtype and shape",
           std::to_string(end - begin) + " bytes",
           needed ? std::to_string(*needed) : "more than any file holds");
    }
    tensor.bytes = data.subspan(begin, end - begin);
    tensor.owner = file.owner;
    const auto placed = tensors.emplace(key, std::move(tensor)).first;
    ranges.push_back({begin, end, &placed->first});
  }

  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t covered = 0;
  for (const Range& range : ranges) {
    if (range.begin != covered) {
      fail(name, *range.tensor,
           range.begin < covered ? "the data overlaps another tensor's"
                                 : "unused bytes before the data",
           "data from byte " + std::to_string(range.begin), std::to_string(covered));
    }
    covered = range.end;
  }
  if (covered != data.size()) {
    fail(name, "", "unused bytes at the end", std::to_string(data.size()) + " data bytes",
         std::to_string(covered));
  }
  return tensors;
}

void write_safetensors(const std::filesystem::path& target,
                       const std::map<std::string, TensorSource>& tensors) {
  std::vector<std::pair<const std::string*, const TensorSource*>> order;
  for (const bool booleans : {false, true}) {
    for (const auto& [name, source] : tensors) {
      if ((source.dtype == DType::boolean) == booleans) order.emplace_back(&name, &source);
    }
  }
  nlohmann::ordered_json entries = {{"__metadata__", {{"format", "pt"}}}};
  std::uint64_t offset = 0;
  for (const auto& [name, source] : order) {
    std::uint64_t end = size_of(source->dtype);
    for (const std::int64_t extent : source->shape) end *= static_cast<std::uint64_t>(extent);
    end += offset;
    entries[*name] = {{"dtype", name_of(source->dtype)},
                      {"shape", source->shape},
                      {"data_offsets", {offset, end}}};
    offset = end;
  }
  // Padded so that the data, all floats of one format, is aligned.
  std::string header = entries.dump();
  header.resize((header.size() + 7) / 8 * 8, ' ');

  std::array<std::byte, kLengthBytes> length{};
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<std::byte>(header.size() >> (8 * i));
  }
  AtomicFile file(target);
  file.write(length);
  file.write(header);
  for (const auto& [name, source] : order) {
    const Tensor tensor = source->make();
    file.write(source->dtype == DType::boolean ? tensor.bytes
                                               : convert(tensor, source->dtype, *name).bytes);
  }
  file.commit();
}

void write_safetensors(const std::filesystem::path& target,
                       const std::map<std::string, Tensor>& tensors, DType dtype) {
  std::map<std::string, TensorSource> sources;
  for (const auto& [name, tensor] : tensors) {
    // Clang 14 does not capture a structured binding.
    sources.emplace(name, TensorSource{dtype, tensor.shape, [&kept = tensor] { return kept; }});
  }
  write_safetensors(target, sources);
}

}  // namespace kobolt
