#include "model/pattern.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>

#include "kobolt/error.h"
#include "model/layout.h"

namespace kobolt {
namespace {

constexpr std::string_view kPrefix = "model.";

std::vector<std::string> split(std::string_view name) {
  std::vector<std::string> parts(1);
  for (const char c : name) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string join(std::span<const std::string> parts) {
  std::string name;
  for (const std::string& part : parts) {
    if (!name.empty()) name += '.';
    name += part;
  }
  return name;
}

// One part against one part. After a mismatch the last star takes one character more; earlier
// stars never need to, so this is linear in practice and quadratic at worst.
bool glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// With layer numbers as stars: what a person would have written for all layers.
std::string generalised(std::string_view name) {
  std::vector<std::string> parts = split(name);
  for (std::string& part : parts) {
    const bool number = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return std::isdigit(static_cast<unsigned char>(c)) != 0;
    });
    if (number) part = "*";
  }
  return join(parts);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

// Each module, and each group that modules lie in, once.
std::vector<std::string> names_for_suggestions(std::span<const std::string> modules) {
  std::vector<std::string> names;
  for (const std::string& module : modules) {
    const std::vector<std::string> parts = split(generalised(module));
    for (std::size_t length = 1; length <= parts.size(); ++length) {
      std::string name = join(std::span(parts).first(length));
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(std::move(name));
      }
    }
  }
  return names;
}

std::vector<std::string> modules_of(const ModelConfig& config) {
  std::vector<std::string> modules;
  for (const TensorSpec& spec : expected_tensors(config)) {
    std::string module(module_of(spec.name));
    if (modules.empty() || modules.back() != module) modules.push_back(std::move(module));
  }
  return modules;
}

}  // namespace

std::string_view module_of(std::string_view tensor) {
  if (tensor.starts_with(kPrefix)) tensor.remove_prefix(kPrefix.size());
  for (const std::string_view suffix : {".weight", ".bias"}) {
    if (tensor.ends_with(suffix)) return tensor.substr(0, tensor.size() - suffix.size());
  }
  return tensor;
}

ModulePattern::ModulePattern(std::string_view pattern) {
  if (pattern.starts_with(kPrefix)) pattern.remove_prefix(kPrefix.size());
  parts_ = split(pattern);
}

bool ModulePattern::matches(std::string_view module) const {
  const std::vector<std::string> parts = split(module);
  if (parts.size() < parts_.size()) return false;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!glob(parts_[i], parts[i])) return false;
  }
  return true;
}

std::string closest_names(const std::string& pattern, std::span<const std::string> modules) {
  // A pattern of any length is compared with names that are never longer than this.
  constexpr std::size_t kLongest = 128;
  constexpr std::size_t kShown = 3;
  std::string_view bare = pattern;
  if (bare.starts_with(kPrefix)) bare.remove_prefix(kPrefix.size());
  const std::string asked = generalised(bare.substr(0, kLongest));
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (std::string& name : names_for_suggestions(modules)) {
    const std::size_t distance = edit_distance(asked, name);
    ranked.emplace_back(distance, std::move(name));
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, ranked.size()); ++i) {
    if (i > 0) text += ", ";
    text += ranked[i].second;
  }
  return text;
}

std::vector<std::size_t> select_matrices(const std::string& pattern,
                                         std::span<const MatrixName> matrices,
                                         const std::string& complaint) {
  const ModulePattern wanted(pattern);
  std::vector<std::size_t> selected;
  std::vector<std::string> known;
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const auto& [name, alias] = matrices[i];
    known.push_back(name);
    if (!alias.empty()) known.push_back(alias);
    if (wanted.matches(name) || (!alias.empty() && wanted.matches(alias))) selected.push_back(i);
  }
  if (selected.empty()) {
    throw Error(ErrorKind::invalid_argument, complaint,
                {.field = "layer",
                 .found = "\"" + pattern + "\"",
                 .hint = "the closest are " + closest_names(pattern, known)});
  }
  return selected;
}

std::vector<std::string> select_modules(std::span<const std::string> patterns,
                                        const ModelConfig& config) {
  const std::vector<std::string> modules = modules_of(config);
  std::vector<bool> selected(modules.size(), false);
  for (const std::string& text : patterns) {
    const ModulePattern pattern(text);
    bool any = false;
    for (std::size_t i = 0; i < modules.size(); ++i) {
      if (!pattern.matches(modules[i])) continue;
      selected[i] = true;
      any = true;
    }
    if (!any) {
      throw Error(
          ErrorKind::invalid_argument, "no part of the model has such a name",
          {.found = "\"" + text + "\"", .hint = "the closest are " + closest_names(text, modules)});
    }
  }
  std::vector<std::string> chosen;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    if (selected[i]) chosen.push_back(modules[i]);
  }
  return chosen;
}

}  // namespace kobolt
