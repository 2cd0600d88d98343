#include "optimize/split.h"

#include <fmt/format.h>

#include <numeric>
#include <random>
#include <utility>

#include "kobolt/error.h"

namespace kobolt {
namespace {

// With four documents in each half an interval can be computed; it will be a wide one.
constexpr std::size_t kFewestDocuments = 8;

}  // namespace

Split split_documents(std::size_t count, std::uint64_t seed) {
  if (count < kFewestDocuments) {
    throw Error(ErrorKind::invalid_argument,
                "too few documents to choose a setting on one half and confirm it on the other",
                {.field = "data",
                 .found = fmt::format("{} with references", count),
                 .expected = fmt::format("at least {}; some hundreds tell 99 % from 98 %",
                                         kFewestDocuments)});
  }
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 random(seed);
  // Fisher and Yates; std::shuffle differs between libraries.
  for (std::size_t left = count; left > 1; --left)
    std::swap(order[left - 1], order[random() % left]);
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>((count + 1) / 2);
  return {.search = {order.begin(), middle}, .held_back = {middle, order.end()}};
}

}  // namespace kobolt
