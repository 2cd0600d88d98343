#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kobolt/error.h"
#include "kobolt/prune.h"
#include "model/pattern.h"

namespace kobolt {
namespace {

struct Stack {
  const char* side;
  std::vector<LayerConfig>* layers;
};

std::string layer_name(const std::string& side, std::size_t index) {
  return side + ".layers." + std::to_string(index);
}

// The names of `values` without the dropped layers' and with the others' numbers closed up.
template <typename Value>
std::int64_t renumber(std::map<std::string, Value>& values, const std::string& side,
                      const std::vector<bool>& dropped) {
  std::vector<std::size_t> number(dropped.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < dropped.size(); ++i) number[i] = dropped[i] ? 0 : next++;
  const std::string prefix = "model." + side + ".layers.";
  std::map<std::string, Value> renamed;
  std::int64_t removed = 0;
  for (auto& [name, value] : values) {
    if (!name.starts_with(prefix)) {
      renamed.emplace(name, std::move(value));
      continue;
    }
    const std::size_t end = name.find('.', prefix.size());
    const std::size_t layer = std::stoul(name.substr(prefix.size(), end - prefix.size()));
    if (dropped.at(layer)) {
      if constexpr (std::is_same_v<Value, Tensor>) removed += value.elements();
    } else {
      renamed.emplace(prefix + std::to_string(number[layer]) + name.substr(end), std::move(value));
    }
  }
  values = std::move(renamed);
  return removed;
}

std::vector<std::string> spread(const std::string& side, std::size_t count, int keep) {
  if (keep < 1 || static_cast<std::size_t>(keep) > count) {
    throw Error(ErrorKind::invalid_argument, "so many layers cannot be kept",
                {.field = side + " layers",
                 .found = std::to_string(keep),
                 .expected = fmt::format("1 to {}", count)});
  }
  std::set<std::size_t> kept;
  // First and last stay; the others lie as evenly between them as whole numbers allow.
  for (int i = 0; i < keep; ++i) {
    const std::size_t steps = static_cast<std::size_t>(std::max(keep - 1, 1));
    kept.insert((static_cast<std::size_t>(i) * (count - 1) + steps / 2) / steps);
  }
  std::vector<std::string> dropped;
  for (std::size_t i = 0; i < count; ++i) {
    if (!kept.contains(i)) dropped.push_back(layer_name(side, i));
  }
  return dropped;
}

}  // namespace

std::vector<std::string> spread_layers(const ModelConfig& config, int encoder_layers,
                                       int decoder_layers) {
  std::vector<std::string> dropped =
      spread("encoder", config.encoder_layers.size(), encoder_layers);
  for (std::string& name : spread("decoder", config.decoder_layers.size(), decoder_layers)) {
    dropped.push_back(std::move(name));
  }
  return dropped;
}

void drop_layers(Model& model, const std::vector<std::string>& layers) {
  const Stack stacks[] = {{"encoder", &model.config.encoder_layers},
                          {"decoder", &model.config.decoder_layers}};
  std::map<std::string, std::vector<bool>> dropped;
  std::vector<std::string> known;
  for (const Stack& stack : stacks) {
    dropped[stack.side].resize(stack.layers->size(), false);
    for (std::size_t i = 0; i < stack.layers->size(); ++i) {
      known.push_back(layer_name(stack.side, i));
    }
  }
  for (const std::string& pattern : layers) {
    bool any = false;
    const ModulePattern wanted(pattern);
    for (const Stack& stack : stacks) {
      for (std::size_t i = 0; i < stack.layers->size(); ++i) {
        if (!wanted.matches(layer_name(stack.side, i))) continue;
        dropped[stack.side][i] = any = true;
      }
    }
    if (!any) {
      throw Error(ErrorKind::invalid_argument, "the model has no such layer",
                  {.field = "layers",
                   .found = "\"" + pattern + "\"",
                   .hint = "the closest are " + closest_names(pattern, known)});
    }
  }
  for (const Stack& stack : stacks) {
    if (std::ranges::find(dropped[stack.side], false) == dropped[stack.side].end()) {
      throw Error(ErrorKind::invalid_argument,
                  fmt::format("this would drop every layer of the {}", stack.side),
                  {.field = "layers", .found = fmt::format("{}", fmt::join(layers, ", "))});
    }
  }
  for (const Stack& stack : stacks) {
    const std::vector<bool>& gone = dropped[stack.side];
    model.pruning.removed_params += renumber(model.tensors, stack.side, gone);
    renumber(model.masks, stack.side, gone);
    std::size_t index = 0;
    std::erase_if(*stack.layers, [&](const LayerConfig&) { return gone[index++]; });
  }
  if (!layers.empty()) {
    model.provenance.steps.push_back(fmt::format("dropped {}", fmt::join(layers, ", ")));
  }
}

}  // namespace kobolt
