#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/export.h"

namespace kobolt {

/// One document of a data set.
struct Example {
  std::string id;  ///< the file's id field, else its line (or its item in a list), from 1
  std::string document;
  std::vector<std::string> references;  ///< empty where the file has no such field
  bool numbered = false;                ///< the file gives no id: it is such a number
};

struct DatasetOptions {
  std::string document_field = "document";
  std::string summary_field = "summary";  ///< a string or a list of strings
  std::string id_field = "id";
  bool need_references = false;  ///< a line without the summary field is then an error
  bool need_document = true;     ///< a line without the document field is an error
  bool blank_lines = false;      ///< plain text: an empty line is an empty document, not skipped
};

/// Reads a data set in UTF-8, by extension: .jsonl and .ndjson (one object a line), .json (a list
/// of objects, or one a line), .csv and .tsv (RFC 4180, the first row names the fields), and all
/// others as plain text, a document a line. "-" is standard input: there, and for files without
/// an extension, lines of JSON are recognised by their first brace. Blank lines are skipped; bytes
/// that are not UTF-8 are read as U+FFFD; fields that nobody asked for are ignored.
/// Throws Error with the file, the line and the field at fault, also when there is no document.
KOBOLT_API std::vector<Example> read_dataset(const std::filesystem::path& file,
                                             const DatasetOptions& options = {});

/// How text is cut into the tokens that ROUGE compares.
enum class RougeTokens : std::uint8_t {
  unicode,    ///< words by Unicode segmentation (UAX #29), lower case, any script: the default
  ascii,      ///< what PyPI's rouge-score does: [a-z0-9]+; drops every other letter
  character,  ///< every letter or digit by itself, for languages without spaces
};
KOBOLT_API RougeTokens rouge_tokens_from_name(std::string_view name);  ///< unicode, ascii, char

struct RougeOptions {
  RougeTokens tokens = RougeTokens::unicode;
  bool stemmer = false;          ///< Porter stemmer of rouge-score, ASCII words longer than 3
  int bootstrap_samples = 1000;  ///< 0 = no interval
  double confidence = 0.95;
  std::uint64_t seed = 0;
};

struct Score {
  double precision = 0;
  double recall = 0;
  double f = 0;
};

struct Interval {
  Score low;
  Score mid;  ///< the mean over documents
  Score high;
};

/// ROUGE of one prediction; of several references each measure takes the one with the best F.
/// Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004.
struct RougeScore {
  Score rouge1;
  Score rouge2;
  Score rougeL;
  Score rougeLsum;  ///< union LCS over lines
};

/// ROUGE over a data set, with a bootstrap confidence interval over documents.
struct RougeReport {
  Interval rouge1;
  Interval rouge2;
  Interval rougeL;
  Interval rougeLsum;
  std::vector<RougeScore> documents;  ///< in order
};

/// An empty text, or one without tokens, scores 0. Throws Error(invalid_argument) without
/// references.
KOBOLT_API RougeScore rouge(std::string_view prediction, std::span<const std::string> references,
                            const RougeOptions& options = {});
/// Throws Error(invalid_argument) when the lengths differ, there is no prediction or a document
/// lacks references. The same options give the same report everywhere: bounds are percentiles of
/// the means of resampled documents, drawn with std::mt19937_64 from `seed`.
KOBOLT_API RougeReport rouge(std::span<const std::string> predictions,
                             std::span<const std::vector<std::string>> references,
                             const RougeOptions& options = {});

}  // namespace kobolt
