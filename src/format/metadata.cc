#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>

#include "format/engine_file.h"
#include "format/metadata_fields.h"

namespace kobolt {
namespace {

using OrderedJson = nlohmann::ordered_json;

class Writer {
 public:
  explicit Writer(OrderedJson& object) : object_(object) {}

  template <typename T, typename... Range>
  void operator()(const char* name, const T& value, Range... /*checked when read*/) {
    object_[name] = render(value);
  }

 private:
  template <typename T>
  static OrderedJson render(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      return EnumNames<T>::value.at(static_cast<std::size_t>(value));
    } else {
      return value;
    }
  }
  template <typename T>
  static OrderedJson render(const std::optional<T>& value) {
    return value ? OrderedJson(*value) : OrderedJson(nullptr);
  }

  OrderedJson& object_;
};

OrderedJson layers_to_json(const std::vector<LayerConfig>& layers) {
  OrderedJson list = OrderedJson::array();
  for (const LayerConfig& layer : layers) visit_layer(layer, Writer(list.emplace_back()));
  return list;
}

}  // namespace

std::string metadata_to_json(const EngineMetadata& metadata, std::span<const Section> sections) {
  OrderedJson root;
  Writer{root}("precision", metadata.precision);
  visit_config(metadata.config, Writer(root["config"]));
  root["config"]["encoder_layers"] = layers_to_json(metadata.config.encoder_layers);
  root["config"]["decoder_layers"] = layers_to_json(metadata.config.decoder_layers);
  visit_generation(metadata.generation, Writer(root["generation"]));
  visit_provenance(metadata.provenance, Writer(root["provenance"]));
  OrderedJson& list = root["sections"] = OrderedJson::array();
  for (const Section& section : sections) {
    list.push_back({{"name", section.name},
                    {"layout", name_of(section.layout)},
                    {"shape", section.shape},
                    {"offset", section.offset},
                    {"size", section.size},
                    {"xxh3", fmt::format("{:016x}", section.hash)}});
  }
  // Names and paths may hold any bytes; the description itself must stay valid UTF-8.
  return root.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace kobolt
