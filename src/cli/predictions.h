#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "kobolt/evaluate.h"
#include "kobolt/summarizer.h"

namespace kobolt::cli {

/// A file of predictions in the making, one JSON object a document: id, summary, tokens, score,
/// reference (a list where there are several). Opened before the work starts, so that a path that
/// cannot be written costs no run; there is no file before commit().
class PredictionsFile {
 public:
  /// Throws Error naming the path.
  explicit PredictionsFile(const std::filesystem::path& path) : file_(path) {}

  void add(const Example& example, const Summary& summary);
  void commit() { file_.commit(); }

 private:
  AtomicFile file_;
};

/// Puts ready predictions (each the `document` of an Example read from `file`) in the order of
/// `data`: by id, or in order where the predictions carry no ids. Throws Error naming `file` and
/// the document that has no prediction, or has two.
std::vector<std::string> matched_predictions(std::span<const Example> predictions,
                                             std::span<const Example> data,
                                             const std::string& file);

}  // namespace kobolt::cli
