#include "prune/scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kobolt/error.h"

namespace kobolt {
namespace {

/// What a score reads beside the weights themselves.
struct ScoreData {
  const std::map<std::string, std::vector<float>>& values;
  const char* what;    ///< "the norms of a matrix's inputs"
  const char* source;  ///< the function that measures them
  bool has_signs;
};

std::span<const float> data_of(const ScoreData& data, PruningScore score, const Candidates& piece,
                               std::int64_t size) {
  const auto found = data.values.find(std::string(piece.name));
  if (found == data.values.end() || std::cmp_not_equal(found->second.size(), size)) {
    throw Error(
        ErrorKind::invalid_argument,
        fmt::format("the score {} needs {}", name_of(score), data.what),
        {.field = std::string(piece.name),
         .found = found == data.values.end() ? "none" : std::to_string(found->second.size()),
         .expected = fmt::format("{}, as {} measures them", size, data.source),
         .hint = "leave this matrix out (--layers), or choose the score magnitude"});
  }
  const auto wrong = std::ranges::find_if_not(found->second, [&](float value) {
    return std::isfinite(value) && (data.has_signs || value >= 0);
  });
  if (wrong != found->second.end()) {
    throw Error(ErrorKind::invalid_argument,
                fmt::format("among {} is one that is not a number", data.what),
                {.field = std::string(piece.name), .found = fmt::format("{}", *wrong)});
  }
  return found->second;
}

}  // namespace

void add_scores(std::span<Candidates> pieces, const PruningOptions& options) {
  for (Candidates& piece : pieces) {
    if (options.score == PruningScore::wanda) {
      piece.column_scales = data_of(
          {options.input_norms, "the norms of a matrix's inputs", "collect_input_norms()", false},
          options.score, piece, piece.weights->shape[1]);
    } else if (options.score == PruningScore::taylor) {
      piece.element_scales = data_of({options.weight_gradients, "the derivatives by its weights",
                                      "collect_weight_gradients()", true},
                                     options.score, piece, piece.weights->elements());
    }
  }
}

}  // namespace kobolt
