#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/generation_flags.h"
#include "cli/output.h"
#include "kobolt/evaluate.h"
#include "kobolt/summarizer.h"

namespace kobolt::cli {

/// The summaries of a data set and, when a model made them, how.
// NOLINTNEXTLINE(bugprone-exception-escape): Json moves without throwing
struct Evaluated {
  std::string path;  ///< of the model or the predictions file
  std::vector<std::string> summaries;
  bool made_here = false;     ///< else read from a file; then what follows is empty
  double seconds = 0;         ///< for all documents, tokenising included, the warm-up not
  std::size_t truncated = 0;  ///< documents that lost their end
  Json settings = nullptr;
};

/// What making summaries needs beside the model.
struct SummaryRun {
  SummarizeOptions settings;  ///< `generation` is what the model's own settings became
  std::string long_documents = "truncate";  ///< by its name on the command line
  int warmup = 0;  ///< times that all is summarised before the clock starts, for nothing but warmth
  /// Called with each document and its summary, when all are made.
  std::function<void(const Example&, const Summary&)> keep;
};

/// Summarises `data` with a progress bar, which says when it only warms up; warns about documents
/// that lost their end.
Evaluated summarize_data(Summarizer& summarizer, const std::string& path,
                         std::span<const Example> data, SummaryRun run,
                         const GlobalOptions& global);

/// Reads ready summaries: id and summary, or a line each. Throws Error where they do not fit.
Evaluated read_summaries(const std::string& path, std::span<const Example> data,
                         const std::string& id_field);

}  // namespace kobolt::cli
