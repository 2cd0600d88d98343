#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "kobolt/evaluate.h"
#include "kobolt/summarizer.h"

namespace kobolt::cli {

/// A file of predictions in the making, one JSON object a document: id, summary, tokens, score,
/// reference (a list where there are several). Nothing is on disk before commit().
class PredictionsFile {
 public:
  /// Tries the path, so that one that cannot be written costs no run. Throws Error naming it.
  explicit PredictionsFile(std::filesystem::path path);

  void add(const Example& example, const Summary& summary);
  void commit() const;

 private:
  std::filesystem::path path_;
  std::string lines_;
};

/// Puts ready predictions (each the `document` of an Example read from `file`) in the order of
/// `data`: by id, or in order where the predictions carry no ids. Throws Error naming `file` and
/// the document that has no prediction, or has two.
std::vector<std::string> matched_predictions(std::span<const Example> predictions,
                                             std::span<const Example> data,
                                             const std::string& file);

}  // namespace kobolt::cli
