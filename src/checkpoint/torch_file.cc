#include "checkpoint/torch_file.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/byte_reader.h"
#include "checkpoint/pickle.h"
#include "checkpoint/zip.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

using Bytes = std::span<const std::byte>;
using Records = std::map<std::string, Bytes>;

[[noreturn]] void fail(const std::string& file, const std::string& field,
                       const std::string& message, std::string found = "",
                       std::string expected = "", ErrorKind kind = ErrorKind::corrupt,
                       std::string hint = "") {
  throw Error(kind, message,
              {.file = file,
               .field = field,
               .found = std::move(found),
               .expected = std::move(expected),
               .hint = std::move(hint)});
}

/// A pickle and the bytes of the storages that it refers to, by key.
struct Archive {
  Pickle pickle;
  Records records;
};

[[noreturn]] void refuse_big_endian(const std::string& file) {
  fail(file, "byteorder", "saved on a big-endian machine", "big", "little", ErrorKind::unsupported,
       "load it with PyTorch and save it as safetensors");
}

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// <archive>/data.pkl, <archive>/byteorder, <archive>/data/<key>: everything lies in one folder,
// whose name is that of the file when it was saved.
Archive open_zip(Bytes bytes, const std::string& file) {
  const Records entries = read_zip(bytes, file);
  constexpr std::string_view kPickle = "/data.pkl";
  const auto pickle = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
    return entry.first.ends_with(kPickle) &&
           entry.first.find('/') + kPickle.size() == entry.first.size();
  });
  if (pickle == entries.end()) {
    fail(file, "", "a zip archive, but not one of torch.save", "", "an entry data.pkl");
  }
  const std::string folder = pickle->first.substr(0, pickle->first.find('/') + 1);
  if (entries.contains(folder + "constants.pkl")) {
    fail(file, "constants.pkl", "a TorchScript program, not a state dict", "", "",
         ErrorKind::unsupported, "save model.state_dict() with torch.save, or use safetensors");
  }
  const auto byte_order = entries.find(folder + "byteorder");
  if (byte_order != entries.end() && text_of(byte_order->second) != "little") {
    refuse_big_endian(file);
  }
  Archive archive;
  archive.pickle = read_pickle(pickle->second, file);
  const std::string prefix = folder + "data/";
  for (const auto& [name, data] : entries) {
    if (name.starts_with(prefix)) archive.records.emplace(name.substr(prefix.size()), data);
  }
  return archive;
}

// Before PyTorch 1.6: five pickles one after another (a magic number, a version, the machine, the
// state dict, the keys of its storages), then for each key a count and the raw elements.
class LegacyReader {
 public:
  LegacyReader(Bytes bytes, const std::string& file) : reader_(bytes, file), file_(file) {}

  static bool recognises(Bytes bytes) {
    constexpr std::string_view kStart("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.",
                                      15);
    return text_of(bytes).starts_with(kStart);
  }

  Archive read() {
    next_pickle();  // the magic number, already recognised
    check_version(next_pickle());
    check_machine(next_pickle());
    Archive archive;
    archive.pickle = next_pickle();
    const Pickle keys = next_pickle();
    const PickleNode& list = keys.nodes[keys.root];
    if (list.kind != PickleKind::list) fail(file_, "storage keys", "not a list");
    const auto storages = storages_by_key(archive.pickle);
    for (const std::uint32_t item : list.items) {
      const std::string key(keys.nodes[item].text);
      const auto storage = storages.find(key);
      if (storage == storages.end()) fail(file_, "storage " + key, "the data belongs to no tensor");
      archive.records.emplace(key, read_storage(*storage->second));
    }
    return archive;
  }

 private:
  Pickle next_pickle() {
    const std::size_t start = reader_.position();
    const Bytes rest = reader_.take(reader_.remaining());
    Pickle pickle = read_pickle(rest, file_);
    reader_.seek(start + pickle.size);
    return pickle;
  }

  void check_version(const Pickle& pickle) const {
    constexpr std::int64_t kVersion = 1001;
    const PickleNode& root = pickle.nodes[pickle.root];
    if (root.kind == PickleKind::integer && root.integer == kVersion) return;
    fail(file_, "protocol version", "a torch file of an unknown version",
         std::to_string(root.integer), std::to_string(kVersion), ErrorKind::unsupported);
  }

  void check_machine(const Pickle& pickle) const {
    const PickleNode& root = pickle.nodes[pickle.root];
    if (root.kind != PickleKind::dict) fail(file_, "system information", "not a dict");
    for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
      const PickleNode& value = pickle.nodes[root.items[i + 1]];
      if (pickle.nodes[root.items[i]].text == "little_endian" && value.integer == 0) {
        refuse_big_endian(file_);
      }
    }
  }

  static std::map<std::string, const PickledStorage*> storages_by_key(const Pickle& pickle) {
    std::map<std::string, const PickledStorage*> storages;
    for (const PickledStorage& storage : pickle.storages) storages.emplace(storage.key, &storage);
    return storages;
  }

  Bytes read_storage(const PickledStorage& storage) {
    const std::uint64_t elements = reader_.u64();
    if (elements != static_cast<std::uint64_t>(storage.elements)) {
      fail(file_, "storage " + storage.key, "two different sizes", std::to_string(elements),
           std::to_string(storage.elements));
    }
    const std::size_t size = size_of(storage.dtype);
    if (elements > reader_.remaining() / size) {
      fail(file_, "storage " + storage.key, "the file is truncated");
    }
    return reader_.take(elements * size);
  }

  ByteReader reader_;
  const std::string& file_;
};

/// Turns the windows of a pickle into tensors.
class TensorBuilder {
 public:
  TensorBuilder(const Archive& archive, const SourceFile& source)
      : archive_(archive), source_(source), file_(source.name) {}

  Tensor build(const std::string& name, const PickledTensor& window) {
    const PickledStorage& storage = archive_.pickle.storages[window.storage];
    const Bytes data = storage_bytes(name, storage);
    const std::int64_t elements = check_extent(name, window, storage);
    const std::size_t size = size_of(storage.dtype);
    Tensor tensor;
    tensor.dtype = storage.dtype;
    tensor.shape = window.shape;
    if (elements == 0) {
      tensor.owner = source_.owner;
    } else if (contiguous(window)) {
      tensor.bytes = data.subspan(static_cast<std::size_t>(window.offset) * size,
                                  static_cast<std::size_t>(elements) * size);
      tensor.owner = source_.owner;
    } else {
      // However many windows on one storage there are, copies stay within what the file holds.
      copied_ += static_cast<std::size_t>(elements) * size;
      if (copied_ > source_.bytes.size()) {
        fail(file_, name, "more strided tensors than the file has data for", "", "",
             ErrorKind::unsupported, "save them with .contiguous()");
      }
      auto copy = std::make_shared<std::vector<std::byte>>(
          in_order(data, window, static_cast<std::size_t>(elements), size));
      tensor.bytes = *copy;
      tensor.owner = std::move(copy);
    }
    return tensor;
  }

 private:
  [[nodiscard]] Bytes storage_bytes(const std::string& name, const PickledStorage& storage) const {
    const auto record = archive_.records.find(storage.key);
    if (record == archive_.records.end()) {
      fail(file_, name, "the tensor's data is missing", "", "a record " + storage.key);
    }
    const std::size_t size = size_of(storage.dtype);
    const auto elements = static_cast<std::uint64_t>(storage.elements);
    if (record->second.size() % size != 0 || record->second.size() / size != elements) {
      fail(file_, name, "the tensor's data does not have the size of its storage",
           std::to_string(record->second.size()) + " bytes",
           std::to_string(elements) + " elements of " + std::to_string(size));
    }
    return record->second;
  }

  // Number of elements, once it is certain that all of them lie in the storage.
  [[nodiscard]] std::int64_t check_extent(const std::string& name, const PickledTensor& window,
                                          const PickledStorage& storage) const {
    std::int64_t elements = 1;
    std::int64_t last = window.offset;
    bool overflow = false;
    for (std::size_t i = 0; i < window.shape.size(); ++i) {
      if (window.shape[i] == 0) return 0;
      std::int64_t reach = 0;
      overflow |= __builtin_mul_overflow(window.shape[i] - 1, window.stride[i], &reach);
      overflow |= __builtin_add_overflow(last, reach, &last);
      overflow |= __builtin_mul_overflow(elements, window.shape[i], &elements);
    }
    if (overflow || last >= storage.elements) {
      fail(file_, name, "the tensor reaches outside its storage",
           overflow ? "more than any file holds" : "element " + std::to_string(last),
           "at most " + std::to_string(storage.elements) + " elements");
    }
    // An expanded view: what it would take as a copy has nothing to do with the size of the file.
    if (elements > storage.elements) {
      fail(file_, name, "a tensor with more elements than its storage", std::to_string(elements),
           std::to_string(storage.elements), ErrorKind::unsupported, "save it with .contiguous()");
    }
    return elements;
  }

  static bool contiguous(const PickledTensor& window) {
    std::int64_t step = 1;
    for (std::size_t i = window.shape.size(); i-- > 0;) {
      if (window.shape[i] != 1 && window.stride[i] != step) return false;
      step *= window.shape[i];
    }
    return true;
  }

  static std::vector<std::byte> in_order(Bytes data, const PickledTensor& window,
                                         std::size_t elements, std::size_t size) {
    std::vector<std::byte> copy(elements * size);
    std::vector<std::int64_t> index(window.shape.size(), 0);
    std::int64_t at = window.offset;
    for (std::size_t i = 0; i < elements; ++i) {
      std::memcpy(&copy[i * size], &data[static_cast<std::size_t>(at) * size], size);
      for (std::size_t axis = index.size(); axis-- > 0;) {
        at += window.stride[axis];
        if (++index[axis] < window.shape[axis]) break;
        at -= window.shape[axis] * window.stride[axis];
        index[axis] = 0;
      }
    }
    return copy;
  }

  const Archive& archive_;
  const SourceFile& source_;
  const std::string& file_;
  std::size_t copied_ = 0;
};

Archive open_archive(Bytes bytes, const std::string& file) {
  if (looks_like_zip(bytes)) return open_zip(bytes, file);
  if (LegacyReader::recognises(bytes)) return LegacyReader(bytes, file).read();
  fail(file, "", "not a file of torch.save, or a truncated one", "", "a zip archive or a pickle",
       ErrorKind::corrupt, "use safetensors, or save model.state_dict() with torch.save");
}

}  // namespace

std::map<std::string, Tensor> read_torch_file(const SourceFile& file) {
  const std::string& name = file.name;
  const Archive archive = open_archive(file.bytes, name);
  const Pickle& pickle = archive.pickle;
  const PickleNode& root = pickle.nodes[pickle.root];
  const char* hint = "save model.state_dict() with torch.save, or use safetensors";
  if (root.kind != PickleKind::dict) {
    fail(name, "", "not a state dict", std::string(name_of(root.kind)), "a dict of tensors",
         ErrorKind::unsupported, hint);
  }
  TensorBuilder builder(archive, file);
  std::map<std::string, Tensor> tensors;
  for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const PickleNode& key = pickle.nodes[root.items[i]];
    const PickleNode& value = pickle.nodes[root.items[i + 1]];
    if (key.kind != PickleKind::text) {
      fail(name, "", "a state dict with a key that is no name", std::string(name_of(key.kind)));
    }
    const std::string tensor_name(key.text);
    if (value.kind != PickleKind::tensor) {
      fail(name, tensor_name, "an entry of the state dict that is no tensor",
           std::string(name_of(value.kind)), "a tensor", ErrorKind::unsupported, hint);
    }
    const auto& window = pickle.tensors[static_cast<std::size_t>(value.integer)];
    if (!tensors.emplace(tensor_name, builder.build(tensor_name, window)).second) {
      fail(name, tensor_name, "the tensor appears twice");
    }
  }
  return tensors;
}

}  // namespace kobolt
