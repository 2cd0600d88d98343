#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/tensor.h"

namespace kobolt {

/// A storage that a pickle refers to: `elements` of `dtype` in the record named `key`.
struct PickledStorage {
  std::string key;
  DType dtype = DType::f32;
  std::int64_t elements = 0;
};

/// A tensor as torch pickles it: a strided window on a storage, all counts in elements.
struct PickledTensor {
  std::uint32_t storage = 0;  ///< index into Pickle::storages
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> stride;
};

enum class PickleKind : std::uint8_t {
  none,
  boolean,
  integer,
  big_integer,  ///< longer than 64 bits; `text` holds its little-endian bytes
  real,
  text,
  tuple,
  list,
  dict,
  storage,  ///< `integer` is the index into Pickle::storages
  tensor,   ///< `integer` is the index into Pickle::tensors
  global,   ///< a function or class by name; `integer` is private to the reader
};

/// "a tensor", "a list": for error messages.
std::string_view name_of(PickleKind kind);

struct PickleNode {
  PickleKind kind = PickleKind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;             ///< borrowed from the file
  std::vector<std::uint32_t> items;  ///< of tuple and list; of dict: key, value, key, value, ...
};

/// What a pickle holds. Nodes refer to each other by index, so shared and even cyclic structures
/// cost what the file has bytes for and nothing here recurses.
struct Pickle {
  std::vector<PickleNode> nodes;
  std::uint32_t root = 0;
  std::vector<PickledStorage> storages;
  std::vector<PickledTensor> tensors;
  std::size_t size = 0;  ///< bytes read, up to and including STOP
};

/// Reads one pickle from the start of `bytes`: plain values, dicts, and the few names that
/// torch.save of a state dict uses (collections.OrderedDict, torch._utils._rebuild_tensor_v2,
/// torch._utils._rebuild_parameter, torch.*Storage). Nothing is ever run: those names are known
/// here, and every other global and opcode is refused by name. Throws Error naming `file`.
Pickle read_pickle(std::span<const std::byte> bytes, const std::string& file);

}  // namespace kobolt
