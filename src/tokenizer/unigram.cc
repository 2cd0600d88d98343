#include "tokenizer/unigram.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "tokenizer/unicode.h"
#include "tokenizer/word_cache.h"

namespace kobolt::text {
namespace {

constexpr double unknown_penalty = 10.0;

}  // namespace

struct Unigram::Scratch final : ModelScratch {
  static constexpr std::size_t unreached = std::numeric_limits<std::size_t>::max();
  /// The best path that ends at a byte.
  struct Node {
    double score = 0;
    std::size_t start = unreached;  ///< of its last token
    std::int32_t id = 0;            ///< of its last token
  };
  WordCache cache;
  std::vector<Node> nodes;
  std::vector<std::size_t> ends;  ///< the best path, last token first
};

Unigram::Unigram(std::vector<Token> tokens, std::optional<std::int32_t> unknown, bool byte_fallback)
    : tokens_(std::move(tokens)), unknown_(unknown) {
  double lowest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    lowest = std::min(lowest, tokens_[i].score);
    // Of equal texts the last one counts.
    if (!tokens_[i].text.empty()) trie_.insert(tokens_[i].text, static_cast<std::int32_t>(i));
  }
  unknown_score_ = lowest - unknown_penalty;
  if (byte_fallback) {
    for (int byte = 0; byte < 256; ++byte) {
      byte_ids_.push_back(find(fmt::format("<0x{:02X}>", byte)));
    }
  }
}

std::unique_ptr<ModelScratch> Unigram::make_scratch() const { return std::make_unique<Scratch>(); }

std::int32_t Unigram::find(std::string_view token) const {
  std::int32_t found = Vocabulary::none;
  trie_.for_each_prefix(token, [&](std::size_t length, std::int32_t id) {
    if (length == token.size()) found = id;
  });
  return found;
}

std::optional<std::string_view> Unigram::token(std::int32_t id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= tokens_.size()) return std::nullopt;
  return tokens_[static_cast<std::size_t>(id)].text;
}

void Unigram::no_unknown_token() {
  throw Error(ErrorKind::invalid_argument,
              "the text has a character without a token, and the tokenizer no unknown token",
              {.field = "model.unk_id"});
}

void Unigram::find_best_path(std::string_view piece, Scratch& scratch) const {
  auto& nodes = scratch.nodes;
  nodes.assign(piece.size() + 1, {});
  for (std::size_t at = 0; at < piece.size();) {
    const double score_here = nodes[at].score;
    const std::size_t character = decode_at(piece, at).length;
    bool has_character = false;
    const auto offer = [&](std::size_t length, double score, std::int32_t id) {
      Scratch::Node& node = nodes[at + length];
      // The first of equally good paths wins.
      if (node.start == Scratch::unreached || score > node.score) node = {score, at, id};
    };
    trie_.for_each_prefix(piece.substr(at), [&](std::size_t length, std::int32_t id) {
      offer(length, tokens_[static_cast<std::size_t>(id)].score + score_here, id);
      if (length == character) has_character = true;
    });
    if (!has_character) {
      if (!unknown_) no_unknown_token();
      offer(character, unknown_score_ + score_here, *unknown_);
    }
    at += character;
  }
  scratch.ends.clear();
  for (std::size_t end = piece.size(); end > 0; end = nodes[end].start) {
    scratch.ends.push_back(end);
  }
}

void Unigram::emit_unknown(std::string_view part, std::vector<std::int32_t>& ids) const {
  // A run of unknown characters may happen to be a token by itself.
  if (const std::int32_t id = find(part); id != Vocabulary::none) {
    ids.push_back(id);
    return;
  }
  const auto byte_id = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
  if (!byte_ids_.empty() && std::all_of(part.begin(), part.end(), [&](char byte) {
        return byte_id(byte) != Vocabulary::none;
      })) {
    for (const char byte : part) ids.push_back(byte_id(byte));
    return;
  }
  if (!unknown_) no_unknown_token();
  ids.push_back(*unknown_);
}

void Unigram::encode(std::string_view piece, std::vector<std::int32_t>& ids,
                     ModelScratch& model_scratch) const {
  auto& scratch = static_cast<Scratch&>(model_scratch);
  WordCache::Slot* slot = nullptr;
  if (piece.size() <= WordCache::longest_key) {
    slot = &scratch.cache.slot_of(piece);
    if (slot->holds(piece)) {
      ids.insert(ids.end(), slot->ids.begin(), slot->ids.begin() + slot->count);
      return;
    }
  }
  const std::size_t before = ids.size();
  find_best_path(piece, scratch);
  std::size_t start = 0;
  for (std::size_t i = scratch.ends.size(); i-- > 0;) {
    std::size_t end = scratch.ends[i];
    const std::int32_t id = scratch.nodes[end].id;
    if (id == unknown_) {
      while (i > 0 && scratch.nodes[scratch.ends[i - 1]].id == unknown_) end = scratch.ends[--i];
      emit_unknown(piece.substr(start, end - start), ids);
    } else {
      ids.push_back(id);
    }
    start = end;
  }
  if (slot != nullptr) slot->set(piece, std::span(ids).subspan(before));
}

std::unique_ptr<TokenModel> load_unigram(const JsonField& field) {
  const JsonField vocab = field.at("vocab");
  const std::size_t size = vocab.array().size();
  std::vector<Unigram::Token> tokens;
  tokens.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    const nlohmann::json& entry = vocab.json()[i];
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number()) {
      vocab.element(i).fail(ErrorKind::corrupt, "is no entry of a vocabulary",
                            "a token and its score");
    }
    tokens.push_back({entry[0].get<std::string>(), entry[1].get<double>()});
  }
  std::optional<std::int32_t> unknown;
  if (const auto id = field.find("unk_id")) {
    unknown = static_cast<std::int32_t>(id->integer(0, static_cast<std::int64_t>(size) - 1));
  }
  return std::make_unique<Unigram>(std::move(tokens), unknown, field.flag("byte_fallback", false));
}

}  // namespace kobolt::text
