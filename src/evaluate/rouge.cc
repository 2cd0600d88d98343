#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "evaluate/bootstrap.h"
#include "evaluate/lcs.h"
#include "evaluate/rouge_tokenizer.h"
#include "kobolt/error.h"
#include "kobolt/evaluate.h"

namespace kobolt {
namespace {

constexpr int kMostSamples = 1'000'000;

using Tokens = std::vector<TokenId>;

struct TokenizedText {
  Tokens all;
  std::vector<Tokens> lines;  // those between line feeds
};

// Tokens of a prediction and its references as numbers that are equal where the tokens are.
class Vocabulary {
 public:
  TokenId id(const std::string& token) {
    return ids_.try_emplace(token, static_cast<TokenId>(ids_.size())).first->second;
  }
  [[nodiscard]] std::size_t size() const { return ids_.size(); }

 private:
  std::unordered_map<std::string, TokenId> ids_;
};

// No token crosses a line feed, so the tokens of the lines are those of the text.
TokenizedText tokenized(std::string_view text, RougeTokenizer& tokenizer, Vocabulary& vocabulary) {
  TokenizedText result;
  std::vector<std::string> tokens;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    tokens.clear();
    tokenizer.tokenize(text.substr(0, end), tokens);
    text.remove_prefix(std::min(end + 1, text.size()));
    Tokens& line = result.lines.emplace_back();
    for (const std::string& token : tokens) line.push_back(vocabulary.id(token));
    result.all.insert(result.all.end(), line.begin(), line.end());
  }
  return result;
}

// The operations and their order are rouge-score's, so that results agree to the last bit.
Score score_of(std::size_t hits, std::size_t predicted, std::size_t expected) {
  Score score;
  score.precision =
      static_cast<double>(hits) / static_cast<double>(std::max<std::size_t>(predicted, 1));
  score.recall =
      static_cast<double>(hits) / static_cast<double>(std::max<std::size_t>(expected, 1));
  if (score.precision + score.recall > 0) {
    score.f = 2 * score.precision * score.recall / (score.precision + score.recall);
  }
  return score;
}

// Number of tokens (n = 1) or neighbouring pairs (n = 2), sorted.
std::vector<std::uint64_t> sorted_ngrams(const Tokens& tokens, std::size_t n) {
  std::vector<std::uint64_t> ngrams;
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
    ngrams.push_back(n == 1 ? tokens[i] : (std::uint64_t{tokens[i]} << 32U) | tokens[i + 1]);
  }
  std::sort(ngrams.begin(), ngrams.end());
  return ngrams;
}

Score rouge_n(const TokenizedText& prediction, const TokenizedText& reference, std::size_t n) {
  const auto predicted = sorted_ngrams(prediction.all, n);
  const auto expected = sorted_ngrams(reference.all, n);
  std::size_t hits = 0;
  for (auto p = predicted.begin(), e = expected.begin();
       p != predicted.end() && e != expected.end();) {
    if (*p == *e) {
      ++hits;
      ++p;
      ++e;
    } else if (*p < *e) {
      ++p;
    } else {
      ++e;
    }
  }
  return score_of(hits, predicted.size(), expected.size());
}

Score rouge_l(const TokenizedText& prediction, const TokenizedText& reference) {
  return score_of(lcs_length(reference.all, prediction.all), prediction.all.size(),
                  reference.all.size());
}

// Each line of the reference is matched with all lines of the prediction; a token counts no more
// often than either text has it.
Score rouge_l_sum(const TokenizedText& prediction, const TokenizedText& reference,
                  std::size_t vocabulary_size) {
  std::vector<std::uint32_t> left_predicted(vocabulary_size);
  std::vector<std::uint32_t> left_expected(vocabulary_size);
  for (const TokenId token : prediction.all) ++left_predicted[token];
  for (const TokenId token : reference.all) ++left_expected[token];
  std::size_t hits = 0;
  std::vector<bool> in_union;
  for (const Tokens& line : reference.lines) {
    in_union.assign(line.size(), false);
    for (const Tokens& candidate : prediction.lines) mark_lcs(line, candidate, in_union);
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (!in_union[i] || left_predicted[line[i]] == 0 || left_expected[line[i]] == 0) continue;
      ++hits;
      --left_predicted[line[i]];
      --left_expected[line[i]];
    }
  }
  return score_of(hits, prediction.all.size(), reference.all.size());
}

void keep_better(Score& best, const Score& other) {
  if (other.f > best.f) best = other;
}

RougeScore score_document(std::string_view prediction, std::span<const std::string> references,
                          RougeTokenizer& tokenizer) {
  Vocabulary vocabulary;
  const TokenizedText predicted = tokenized(prediction, tokenizer, vocabulary);
  RougeScore best;
  bool first = true;
  for (const std::string& text : references) {
    const TokenizedText reference = tokenized(text, tokenizer, vocabulary);
    const RougeScore score{rouge_n(predicted, reference, 1), rouge_n(predicted, reference, 2),
                           rouge_l(predicted, reference),
                           rouge_l_sum(predicted, reference, vocabulary.size())};
    if (std::exchange(first, false)) {
      best = score;
      continue;
    }
    keep_better(best.rouge1, score.rouge1);
    keep_better(best.rouge2, score.rouge2);
    keep_better(best.rougeL, score.rougeL);
    keep_better(best.rougeLsum, score.rougeLsum);
  }
  return best;
}

void check(const RougeOptions& options) {
  if (options.bootstrap_samples < 0 || options.bootstrap_samples > kMostSamples) {
    throw Error(ErrorKind::invalid_argument, "the number of bootstrap samples is out of range",
                {.field = "bootstrap_samples",
                 .found = std::to_string(options.bootstrap_samples),
                 .expected = fmt::format("0 to {}", kMostSamples)});
  }
  if (!(options.confidence > 0 && options.confidence < 1)) {
    throw Error(ErrorKind::invalid_argument, "the confidence is out of range",
                {.field = "confidence",
                 .found = fmt::format("{}", options.confidence),
                 .expected = "more than 0 and less than 1"});
  }
}

constexpr std::array kMeasures{&RougeScore::rouge1, &RougeScore::rouge2, &RougeScore::rougeL,
                               &RougeScore::rougeLsum};
constexpr std::array kIntervals{&RougeReport::rouge1, &RougeReport::rouge2, &RougeReport::rougeL,
                                &RougeReport::rougeLsum};
constexpr std::array kParts{&Score::precision, &Score::recall, &Score::f};

void aggregate(RougeReport& report, const RougeOptions& options) {
  constexpr std::size_t kColumns = kMeasures.size() * kParts.size();
  std::vector<double> values;
  values.reserve(report.documents.size() * kColumns);
  for (const RougeScore& document : report.documents) {
    for (const auto measure : kMeasures) {
      for (const auto part : kParts) values.push_back(document.*measure.*part);
    }
  }
  const auto intervals = bootstrap_means(values, kColumns,
                                         {.samples = options.bootstrap_samples,
                                          .confidence = options.confidence,
                                          .seed = options.seed});
  for (std::size_t m = 0; m < kMeasures.size(); ++m) {
    Interval& interval = report.*kIntervals[m];
    for (std::size_t p = 0; p < kParts.size(); ++p) {
      const MeanInterval& column = intervals[m * kParts.size() + p];
      interval.low.*kParts[p] = column.low;
      interval.mid.*kParts[p] = column.mean;
      interval.high.*kParts[p] = column.high;
    }
  }
}

}  // namespace

RougeTokens rouge_tokens_from_name(std::string_view name) {
  if (name == "unicode") return RougeTokens::unicode;
  if (name == "ascii") return RougeTokens::ascii;
  if (name == "char") return RougeTokens::character;
  throw Error(ErrorKind::invalid_argument, "no such way to cut text for ROUGE",
              {.found = std::string(name), .expected = "unicode, ascii or char"});
}

RougeScore rouge(std::string_view prediction, std::span<const std::string> references,
                 const RougeOptions& options) {
  if (references.empty()) {
    throw Error(ErrorKind::invalid_argument, "there is no reference to compare with");
  }
  RougeTokenizer tokenizer(options.tokens, options.stemmer);
  return score_document(prediction, references, tokenizer);
}

RougeReport rouge(std::span<const std::string> predictions,
                  std::span<const std::vector<std::string>> references,
                  const RougeOptions& options) {
  check(options);
  if (predictions.size() != references.size() || predictions.empty()) {
    throw Error(ErrorKind::invalid_argument,
                predictions.empty() ? "there are no predictions"
                                    : "predictions and references differ in number",
                {.found = fmt::format("{} predictions and {} documents with references",
                                      predictions.size(), references.size())});
  }
  RougeTokenizer tokenizer(options.tokens, options.stemmer);
  RougeReport report;
  report.documents.reserve(predictions.size());
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (references[i].empty()) {
      throw Error(ErrorKind::invalid_argument, "there is no reference to compare with",
                  {.field = fmt::format("document {}", i + 1)});
    }
    report.documents.push_back(score_document(predictions[i], references[i], tokenizer));
  }
  aggregate(report, options);
  return report;
}

}  // namespace kobolt
