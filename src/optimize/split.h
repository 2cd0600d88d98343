#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kobolt {

/// Documents by their place in the data. What is chosen by one half is confirmed on the other: the
/// best of many trials looks better on the documents that it was chosen by than it is.
struct Split {
  std::vector<std::size_t> search;
  std::vector<std::size_t> held_back;
};

/// Halves, drawn at random; the larger one is searched on. Throws Error(invalid_argument) for fewer
/// documents than say anything.
Split split_documents(std::size_t count, std::uint64_t seed);

}  // namespace kobolt
