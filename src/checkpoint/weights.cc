#include "checkpoint/weights.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/mapped_file.h"
#include "base/presence.h"
#include "checkpoint/json_fields.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/source_file.h"
#include "checkpoint/torch_file.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

using nlohmann::json;
using Reader = std::map<std::string, Tensor> (*)(const SourceFile&);

struct Container {
  const char* file;
  const char* index;
  Reader read;
};

constexpr std::array kContainers{
    Container{"model.safetensors", "model.safetensors.index.json", read_safetensors},
    Container{"pytorch_model.bin", "pytorch_model.bin.index.json", read_torch_file},
};

StoredWeights read_single(const std::filesystem::path& path, Reader read) {
  return {read(SourceFile::open(path)), path.string()};
}

// The index maps each tensor's name to the file that holds it.
std::map<std::string, std::set<std::string>> tensors_by_shard(const std::filesystem::path& index) {
  const json parsed = parse_json_object(read_text_file(index), index.string());
  const std::string file = index.string();
  const JsonFields fields(parsed, file);
  const json* weight_map = fields.find("weight_map");
  if (weight_map == nullptr || !weight_map->is_object()) {
    fields.fail("weight_map", weight_map == nullptr ? json() : *weight_map, "an object");
  }
  std::map<std::string, std::set<std::string>> shards;
  for (const auto& [tensor, shard] : weight_map->items()) {
    if (!shard.is_string()) fields.fail("weight_map", shard, "file names");
    const std::filesystem::path name(shard.get<std::string>());
    // A shard lies beside its index: a path that leaves the folder is not one.
    if (name.empty() || name != name.filename() || name == ".." || name == ".") {
      fields.fail("weight_map", shard, "names of files in the same folder");
    }
    shards[name.string()].insert(tensor);
  }
  return shards;
}

StoredWeights read_sharded(const std::filesystem::path& index, Reader read) {
  StoredWeights weights{{}, index.string()};
  for (const auto& [shard, names] : tensors_by_shard(index)) {
    const std::filesystem::path path = index.parent_path() / shard;
    auto tensors = read(SourceFile::open(path));
    for (const std::string& name : names) {
      const auto found = tensors.find(name);
      if (found == tensors.end()) {
        throw Error(ErrorKind::corrupt, "the index names a tensor that this shard does not hold",
                    {.file = path.string(), .field = name});
      }
      weights.tensors.emplace(name, std::move(found->second));
    }
  }
  return weights;
}

}  // namespace

bool has_weights(const std::filesystem::path& folder) {
  return std::ranges::any_of(kContainers, [&folder](const Container& container) {
    return may_exist(folder / container.file) || may_exist(folder / container.index);
  });
}

StoredWeights read_weights(const std::filesystem::path& folder) {
  std::string looked_for;
  for (const Container& container : kContainers) {
    if (may_exist(folder / container.file)) {
      return read_single(folder / container.file, container.read);
    }
    if (may_exist(folder / container.index)) {
      return read_sharded(folder / container.index, container.read);
    }
    for (const char* name : {container.file, container.index}) {
      if (!looked_for.empty()) looked_for += ", ";
      looked_for += name;
    }
  }
  throw Error(ErrorKind::not_found, "no weights in this folder",
              {.file = folder.string(), .expected = "one of " + looked_for});
}

}  // namespace kobolt
