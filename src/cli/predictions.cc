#include "cli/predictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/atomic_file.h"
#include "cli/output.h"
#include "kobolt/error.h"

namespace kobolt::cli {
namespace {

std::vector<std::string> in_order(std::span<const Example> predictions,
                                  std::span<const Example> data, const std::string& file) {
  if (predictions.size() != data.size()) {
    throw Error(ErrorKind::invalid_argument, "predictions without ids are matched in order",
                {.file = file,
                 .found = fmt::format("{} predictions", predictions.size()),
                 .expected = fmt::format("{}, one a document", data.size()),
                 .hint = "give each prediction the id of its document"});
  }
  std::vector<std::string> texts;
  for (const Example& prediction : predictions) texts.push_back(prediction.document);
  return texts;
}

}  // namespace

PredictionsFile::PredictionsFile(std::filesystem::path path) : path_(std::move(path)) {
  const AtomicFile attempt(path_);
}

void PredictionsFile::commit() const { write_file(path_, lines_); }

void PredictionsFile::add(const Example& example, const Summary& summary) {
  Json line{{"id", example.id},
            {"summary", summary.text},
            {"tokens", summary.tokens},
            {"score", summary.score}};
  if (example.references.size() == 1) {
    line["reference"] = example.references.front();
  } else {
    line["reference"] = example.references;
  }
  lines_ += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<std::string> matched_predictions(std::span<const Example> predictions,
                                             std::span<const Example> data,
                                             const std::string& file) {
  if (std::all_of(predictions.begin(), predictions.end(),
                  [](const Example& prediction) { return prediction.numbered; })) {
    return in_order(predictions, data, file);
  }
  std::unordered_map<std::string_view, const Example*> by_id;
  for (const Example& prediction : predictions) {
    if (by_id.emplace(prediction.id, &prediction).second) continue;
    throw Error(ErrorKind::corrupt, "two predictions have the same id",
                {.file = file, .found = prediction.id});
  }
  std::vector<std::string> texts;
  for (const Example& example : data) {
    const auto found = by_id.find(example.id);
    if (found == by_id.end()) {
      throw Error(ErrorKind::corrupt, "a document has no prediction",
                  {.file = file,
                   .expected = fmt::format("a prediction with the id '{}'", example.id),
                   .hint = "both files need the same ids (--id-field)"});
    }
    texts.push_back(found->second->document);
  }
  return texts;
}

}  // namespace kobolt::cli
