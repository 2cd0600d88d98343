#include "tokenizer/bpe.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>

#include "tokenizer/unicode.h"
#include "tokenizer/word_cache.h"

namespace kobolt::text {
namespace {

constexpr std::size_t basic_plane_size = 0x10000;
constexpr std::uint32_t no_rank = std::numeric_limits<std::uint32_t>::max();

// Up to this many symbols, scanning all ranks for the lowest beats a heap; a word of text is far
// shorter.
constexpr std::size_t short_word = 24;

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return (static_cast<std::uint64_t>(left) << 32U) | static_cast<std::uint32_t>(right);
}

}  // namespace

struct Bpe::Scratch final : ModelScratch {
  struct Symbol {
    std::int32_t id;
    std::int32_t previous;
    std::int32_t next;
    bool alive;
  };
  struct Candidate {
    std::uint32_t rank;
    std::int32_t position;
    std::int32_t id;
    // std::push_heap keeps the greatest first; the lowest rank, then the leftmost, is wanted.
    bool operator<(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : position > other.position;
    }
  };

  WordCache cache;
  std::vector<std::int32_t> ids;  // symbols of the piece
  std::vector<Merge> merges;      // merge_short: of each symbol with its right neighbour
  std::vector<Symbol> symbols;    // merge_long
  std::vector<Candidate> heap;    // merge_long
  std::string joined;
};

Bpe::Bpe(Vocabulary vocab, Options options)
    : VocabularyModel(std::move(vocab)),
      options_(std::move(options)),
      basic_plane_(basic_plane_size, Vocabulary::none) {
  if (!options_.unknown_token.empty()) unknown_ = vocabulary().find(options_.unknown_token);
  for (std::size_t i = 0; i < vocabulary().size(); ++i) {
    const std::string_view token = vocabulary().token_at(i);
    if (token.empty()) continue;
    const CodePoint first = decode_at(token, 0);
    if (first.length == token.size() && first.value < basic_plane_size) {
      basic_plane_[first.value] = vocabulary().id_at(i);
    }
  }
  if (options_.byte_fallback) {
    byte_ids_.reserve(256);
    for (int byte = 0; byte < 256; ++byte) {
      byte_ids_.push_back(vocabulary().find(fmt::format("<0x{:02X}>", byte)));
    }
  }
}

std::optional<std::string> Bpe::add_merge(std::string_view left, std::string_view right) {
  const std::size_t prefix = options_.continuing_subword_prefix.size();
  std::string joined(left);
  joined += right.substr(std::min(prefix, right.size()));
  const std::int32_t left_id = vocabulary().find(left);
  const std::int32_t right_id = vocabulary().find(right);
  const std::int32_t joined_id = vocabulary().find(joined);
  if (left_id == Vocabulary::none) return std::string(left);
  if (right_id == Vocabulary::none) return std::string(right);
  if (joined_id == Vocabulary::none) return joined;
  // Of equal merges the last one counts.
  const std::uint64_t key = pair_key(left_id, right_id);
  *merges_.insert(key, {}).first = {next_rank_++, joined_id};
  filter_.insert(key);
  return std::nullopt;
}

const Bpe::Merge* Bpe::merge_of(std::int32_t left, std::int32_t right) const {
  const std::uint64_t key = pair_key(left, right);
  return filter_.may_contain(key) ? merges_.find(key) : nullptr;
}

std::unique_ptr<ModelScratch> Bpe::make_scratch() const { return std::make_unique<Scratch>(); }

std::int32_t Bpe::character_id(std::string_view character, char32_t code_point) const {
  return code_point < basic_plane_size ? basic_plane_[code_point] : vocabulary().find(character);
}

void Bpe::split_characters(std::string_view piece, Scratch& scratch) const {
  std::vector<std::int32_t>& ids = scratch.ids;
  ids.clear();
  // An unknown token is held back until a known character follows, so that it can grow. As in
  // `tokenizers`, byte tokens do not count as known here.
  bool pending = false;
  for (std::size_t at = 0; at < piece.size();) {
    const CodePoint point = decode_at(piece, at);
    std::string_view symbol = piece.substr(at, point.length);
    const bool first = at == 0;
    at += point.length;
    std::int32_t id = Vocabulary::none;
    const bool prefixed = !first && !options_.continuing_subword_prefix.empty();
    const bool suffixed = at == piece.size() && !options_.end_of_word_suffix.empty();
    if (prefixed || suffixed) {
      scratch.joined.clear();
      if (prefixed) scratch.joined += options_.continuing_subword_prefix;
      scratch.joined += symbol;
      if (suffixed) scratch.joined += options_.end_of_word_suffix;
      symbol = scratch.joined;
      id = vocabulary().find(symbol);
    } else {
      id = character_id(symbol, point.value);
    }
    if (id != Vocabulary::none) {
      if (pending) ids.push_back(unknown_);
      pending = false;
      ids.push_back(id);
      continue;
    }
    if (options_.byte_fallback) {
      const auto byte_id = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
      if (std::all_of(symbol.begin(), symbol.end(),
                      [&](char byte) { return byte_id(byte) != Vocabulary::none; })) {
        for (const char byte : symbol) ids.push_back(byte_id(byte));
        continue;
      }
    }
    if (options_.unknown_token.empty()) continue;
    if (unknown_ == Vocabulary::none) {
      throw Error(ErrorKind::invalid_argument,
                  "the text has a character without a token, and the unknown token is not in the "
                  "vocabulary",
                  {.field = "model.unk_token", .found = options_.unknown_token});
    }
    if (pending && !options_.fuse_unknown) ids.push_back(unknown_);
    pending = true;
  }
  if (pending) ids.push_back(unknown_);
}

void Bpe::merge_short(Scratch& scratch) const {
  std::vector<std::int32_t>& ids = scratch.ids;
  std::vector<Merge>& merges = scratch.merges;
  const auto between = [&](std::size_t left) {
    const Merge* merge = merge_of(ids[left], ids[left + 1]);
    return merge != nullptr ? *merge : Merge{no_rank, Vocabulary::none};
  };
  merges.clear();
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) merges.push_back(between(i));
  while (!merges.empty()) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < merges.size(); ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == no_rank) return;
    ids[best] = merges[best].id;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    merges.erase(merges.begin() + static_cast<std::ptrdiff_t>(best));
    if (best > 0) merges[best - 1] = between(best - 1);
    if (best < merges.size()) merges[best] = between(best);
  }
}

void Bpe::merge_long(Scratch& scratch) const {
  auto& symbols = scratch.symbols;
  auto& heap = scratch.heap;
  symbols.clear();
  heap.clear();
  const auto count = static_cast<std::int32_t>(scratch.ids.size());
  for (std::int32_t i = 0; i < count; ++i) {
    symbols.push_back(
        {scratch.ids[static_cast<std::size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1, true});
  }
  const auto symbol = [&](std::int32_t i) -> Scratch::Symbol& {
    return symbols[static_cast<std::size_t>(i)];
  };
  const auto push = [&](std::int32_t left, std::int32_t right) {
    if (const Merge* merge = merge_of(symbol(left).id, symbol(right).id)) {
      heap.push_back({merge->rank, left, merge->id});
      std::push_heap(heap.begin(), heap.end());
    }
  };
  for (std::int32_t i = 0; i + 1 < count; ++i) push(i, i + 1);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const Scratch::Candidate top = heap.back();
    heap.pop_back();
    Scratch::Symbol& left = symbol(top.position);
    if (!left.alive || left.next < 0) continue;
    Scratch::Symbol& right = symbol(left.next);
    const Merge* merge = merge_of(left.id, right.id);
    if (merge == nullptr || merge->id != top.id) continue;  // the pair has changed meanwhile
    left.id = top.id;
    right.alive = false;
    left.next = right.next;
    if (left.next >= 0) symbol(left.next).previous = top.position;
    if (left.previous >= 0) push(left.previous, top.position);
    if (left.next >= 0) push(top.position, left.next);
  }
  scratch.ids.clear();
  for (std::int32_t i = count > 0 ? 0 : -1; i >= 0; i = symbol(i).next) {
    scratch.ids.push_back(symbol(i).id);
  }
}

void Bpe::encode_uncached(std::string_view piece, std::vector<std::int32_t>& ids,
                          Scratch& scratch) const {
  split_characters(piece, scratch);
  if (scratch.ids.size() <= short_word) {
    merge_short(scratch);
  } else {
    merge_long(scratch);
  }
  ids.insert(ids.end(), scratch.ids.begin(), scratch.ids.end());
}

void Bpe::encode(std::string_view piece, std::vector<std::int32_t>& ids,
                 ModelScratch& model_scratch) const {
  auto& scratch = static_cast<Scratch&>(model_scratch);
  if (piece.size() > WordCache::longest_key) {
    if (options_.ignore_merges) {
      if (const std::int32_t id = vocabulary().find(piece); id != Vocabulary::none) {
        ids.push_back(id);
        return;
      }
    }
    encode_uncached(piece, ids, scratch);
    return;
  }
  WordCache::Slot& slot = scratch.cache.slot_of(piece);
  if (slot.holds(piece)) {
    ids.insert(ids.end(), slot.ids.begin(), slot.ids.begin() + slot.count);
    return;
  }
  const std::size_t before = ids.size();
  const std::int32_t whole = options_.ignore_merges ? vocabulary().find(piece) : Vocabulary::none;
  if (whole != Vocabulary::none) {
    ids.push_back(whole);
  } else {
    encode_uncached(piece, ids, scratch);
  }
  slot.set(piece, std::span(ids).subspan(before));
}

std::unique_ptr<TokenModel> load_bpe(const JsonField& field) {
  if (const auto dropout = field.find("dropout"); dropout && dropout->number() != 0) {
    dropout->fail(ErrorKind::unsupported, "makes results random", "null or 0");
  }
  auto model = std::make_unique<Bpe>(
      load_vocabulary(field.at("vocab")),
      Bpe::Options{.unknown_token = field.text("unk_token", ""),
                   .continuing_subword_prefix = field.text("continuing_subword_prefix", ""),
                   .end_of_word_suffix = field.text("end_of_word_suffix", ""),
                   .fuse_unknown = field.flag("fuse_unk", false),
                   .byte_fallback = field.flag("byte_fallback", false),
                   .ignore_merges = field.flag("ignore_merges", false)});
  const JsonField merges = field.at("merges");
  for (std::size_t i = 0; i < merges.array().size(); ++i) {
    const nlohmann::json& value = merges.json()[i];
    std::string_view left;
    std::string_view right;
    // Two forms: ["a", "b"] and, older, "a b".
    if (value.is_array()) {
      if (value.size() != 2 || !value[0].is_string() || !value[1].is_string()) {
        merges.element(i).fail(ErrorKind::corrupt, "is no merge", "two strings");
      }
      left = value[0].get_ref<const std::string&>();
      right = value[1].get_ref<const std::string&>();
    } else {
      if (!value.is_string()) merges.element(i).fail(ErrorKind::corrupt, "is no merge");
      const std::string_view text = value.get_ref<const std::string&>();
      if (text.starts_with("#version")) continue;
      const std::size_t space = text.find(' ');
      if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
        merges.element(i).fail(ErrorKind::corrupt, "is no merge",
                               "two tokens with one space between them");
      }
      left = text.substr(0, space);
      right = text.substr(space + 1);
    }
    if (const auto missing = model->add_merge(left, right)) {
      merges.element(i).fail(ErrorKind::corrupt,
                             "needs the token \"" + *missing + "\", which the vocabulary lacks");
    }
  }
  return model;
}

}  // namespace kobolt::text
