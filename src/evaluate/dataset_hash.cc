#include "evaluate/dataset_hash.h"

#include <cstddef>
#include <vector>

#include "base/hash.h"

namespace kobolt {

std::string dataset_hash(std::span<const Example> examples) {
  std::vector<std::span<const std::byte>> pieces;
  const auto add = [&](const std::string& text) {
    // With the zero at its end, so that moving a letter from one text to the next counts.
    pieces.push_back(std::as_bytes(std::span(text.c_str(), text.size() + 1)));
  };
  for (const Example& example : examples) {
    add(example.document);
    for (const std::string& reference : example.references) add(reference);
  }
  return hash128_hex(pieces);
}

}  // namespace kobolt
