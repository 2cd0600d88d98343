#include <charconv>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "format/engine_file.h"
#include "format/metadata_fields.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

using Json = nlohmann::json;

// A value as a message shows it. Printing JSON recurses, so what may be nested is only named.
std::string excerpt(const Json& value) {
  if (value.is_structured()) return value.is_array() ? "a list" : "an object";
  return value.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 60);
}

// A JSON object with its place in the file, for messages.
class Reader {
 public:
  Reader(const Json& object, std::string file, std::string path)
      : object_(object), file_(std::move(file)), path_(std::move(path)) {
    if (!object_.is_object()) fail("", "an object");
  }

  // Reads one member; the range, where there is one, is for numbers.
  template <typename T>
  void operator()(const char* name, T& value) const {
    read(at(name), name, value);
  }
  template <typename T>
  void operator()(const char* name, T& value, T least, T most) const {
    read(at(name), name, value);
    if (!(value >= least && value <= most)) fail(name, "a value in range");
  }
  void operator()(const char* name, std::optional<int>& value, int least, int most) const {
    const Json& json = at(name);
    value.reset();
    if (!json.is_null()) (*this)(name, value.emplace(), least, most);
  }

  [[nodiscard]] Reader object(const char* name) const { return {at(name), file_, where(name)}; }
  [[nodiscard]] std::vector<Reader> objects(const char* name, std::size_t most) const {
    const Json& list = at(name);
    if (!list.is_array() || list.size() > most) fail(name, "a list of objects");
    std::vector<Reader> readers;
    for (const Json& item : list) {
      readers.emplace_back(item, file_, where(name) + "[" + std::to_string(readers.size()) + "]");
    }
    return readers;
  }
  [[noreturn]] void fail(const std::string& name, const std::string& expected) const {
    std::string found = "nothing";
    if (object_.is_object() && object_.contains(name)) found = excerpt(object_[name]);
    throw Error(ErrorKind::corrupt, "bad description of the engine",
                {.file = file_, .field = where(name), .found = found, .expected = expected});
  }

 private:
  [[nodiscard]] std::string where(const std::string& name) const {
    if (path_.empty() || name.empty()) return path_ + name;
    return path_ + "." + name;
  }
  [[nodiscard]] const Json& at(const char* name) const {
    const auto found = object_.find(name);
    if (found == object_.end()) fail(name, "a value");
    return *found;
  }

  template <typename T>
  void read(const Json& json, const char* name, T& value) const {
    if constexpr (std::is_enum_v<T>) {
      const auto& names = EnumNames<T>::value;
      const auto text = json.is_string() ? json.get<std::string>() : std::string();
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == text) {
          value = static_cast<T>(i);
          return;
        }
      }
      fail(name, "a known name");
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!json.is_boolean()) fail(name, "true or false");
      value = json.get<bool>();
    } else if constexpr (std::is_integral_v<T>) {
      if (!json.is_number_integer()) fail(name, "a whole number");
      const bool fits = json.is_number_unsigned() ? std::in_range<T>(json.get<std::uint64_t>())
                                                  : std::in_range<T>(json.get<std::int64_t>());
      if (!fits) fail(name, "a value in range");
      value = json.get<T>();
    } else if constexpr (std::is_floating_point_v<T>) {
      if (!json.is_number()) fail(name, "a number");
      value = json.get<T>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!json.is_string()) fail(name, "a string");
      value = json.get<std::string>();
    } else {
      if (!json.is_array()) fail(name, "a list");
      value.clear();
      for (const Json& item : json) read(item, name, value.emplace_back());
    }
  }

  const Json& object_;
  std::string file_;
  std::string path_;
};

Layout layout_of(const Reader& reader) {
  std::string name;
  reader("layout", name);
  for (const Layout layout : kLayouts) {
    if (name_of(layout) == name) return layout;
  }
  reader.fail("layout", "a layout that this version knows");
}

Section read_section(const Reader& reader) {
  Section section;
  std::string hash;
  reader("name", section.name);
  section.layout = layout_of(reader);
  reader("shape", section.shape);
  reader("offset", section.offset);
  reader("size", section.size);
  reader("xxh3", hash);
  const auto [end, code] =
      std::from_chars(hash.data(), hash.data() + hash.size(), section.hash, 16);
  if (code != std::errc() || end != hash.data() + hash.size()) reader.fail("xxh3", "hex digits");
  return section;
}

std::vector<LayerConfig> read_layers(const Reader& config, const char* name) {
  std::vector<LayerConfig> layers;
  for (const Reader& reader : config.objects(name, 4096)) {
    visit_layer(layers.emplace_back(), reader);
  }
  return layers;
}

}  // namespace

EngineMetadata metadata_from_json(std::string_view text, const std::string& file,
                                  std::vector<Section>& sections) {
  const Json root = Json::parse(text, nullptr, false);
  if (root.is_discarded()) {
    throw Error(ErrorKind::corrupt, "the description is not JSON",
                {.file = file, .field = "description"});
  }
  const Reader reader(root, file, "");
  EngineMetadata metadata;
  reader("precision", metadata.precision);
  const Reader config = reader.object("config");
  visit_config(metadata.config, config);
  metadata.config.encoder_layers = read_layers(config, "encoder_layers");
  metadata.config.decoder_layers = read_layers(config, "decoder_layers");
  visit_generation(metadata.generation, reader.object("generation"));
  visit_provenance(metadata.provenance, reader.object("provenance"));
  sections.clear();
  std::set<std::string> names;
  for (const Reader& item : reader.objects("sections", 1U << 20U)) {
    sections.push_back(read_section(item));
    if (!names.insert(sections.back().name).second) item.fail("name", "a name used once");
  }
  return metadata;
}

}  // namespace kobolt
