#include "prune/tokenizer_json.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "kobolt/error.h"

namespace kobolt {
namespace {

using nlohmann::json;

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// "<0x0A>": a byte that byte fallback spells with.
bool is_byte_token(const std::string& token) {
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with(">");
}

std::string text_field(const json& model, const char* key) {
  const auto found = model.find(key);
  return found != model.end() && found->is_string() ? found->get<std::string>() : "";
}

/// A merge rule, in either of the two forms that files have: ["a", "b"] or "a b".
std::pair<std::string, std::string> merge_of(const json& rule) {
  if (rule.is_array()) return {rule.at(0).get<std::string>(), rule.at(1).get<std::string>()};
  const auto text = rule.get<std::string>();
  const std::size_t space = text.find(' ');
  return {text.substr(0, space), text.substr(space + 1)};
}

template <typename Visit>
void for_each_token(const json& model, const Visit& visit) {
  const json& vocabulary = model.at("vocab");
  if (vocabulary.is_array()) {
    std::int32_t id = 0;
    for (const json& piece : vocabulary) visit(piece.at(0).get<std::string>(), id++);
  } else {
    for (const auto& entry : vocabulary.items()) {
      visit(entry.key(), entry.value().template get<std::int32_t>());
    }
  }
}

void renumber_vocabulary(json& model, const NewId& new_id) {
  const json& old = model.at("vocab");
  if (old.is_array()) {
    json pieces = json::array();
    for (std::size_t id = 0; id < old.size(); ++id) {
      // New ids have the old order.
      if (new_id(static_cast<std::int64_t>(id)) >= 0) pieces.push_back(old[id]);
    }
    model["vocab"] = std::move(pieces);
    if (model.contains("unk_id") && model["unk_id"].is_number()) {
      model["unk_id"] = new_id(model["unk_id"].get<std::int64_t>());
    }
    return;
  }
  json vocabulary = json::object();
  for (const auto& [token, id] : old.items()) {
    const std::int32_t renamed = new_id(id.get<std::int64_t>());
    if (renamed >= 0) vocabulary[token] = renamed;
  }
  model["vocab"] = std::move(vocabulary);
}

// Post-processors name special tokens with their ids: {"id": "<s>", "ids": [0], ...} in templates,
// ["</s>", 2] in the others.
void renumber_post_processor(json& value, const NewId& new_id) {
  if (!value.is_object()) {
    if (value.is_array()) {
      for (json& element : value) renumber_post_processor(element, new_id);
    }
    return;
  }
  for (auto& [key, member] : value.items()) {
    const bool pair = (key == "sep" || key == "cls") && member.is_array() && member.size() == 2;
    if (pair) {
      member[1] = new_id(member[1].get<std::int64_t>());
    } else if (key == "ids" && member.is_array()) {
      for (json& id : member) id = new_id(id.get<std::int64_t>());
    } else {
      renumber_post_processor(member, new_id);
    }
  }
}

}  // namespace

TokenizerJson::TokenizerJson(const std::string& text) : json_(json::parse(text)) {
  const json& model = json_.at("model");
  const std::string name = kind();
  if (name != "BPE" && name != "Unigram" && name != "WordPiece" && name != "WordLevel") {
    throw Error(ErrorKind::unsupported, "a vocabulary of this kind cannot be reduced",
                {.file = "tokenizer.json",
                 .field = "model",
                 .found = name,
                 .expected = "BPE, Unigram, WordPiece or WordLevel"});
  }
  prefix_ = text_field(model, "continuing_subword_prefix");
  suffix_ = text_field(model, "end_of_word_suffix");
}

std::string TokenizerJson::kind() const {
  const json& model = json_.at("model");
  const auto type = model.find("type");
  if (type != model.end() && type->is_string()) return type->get<std::string>();
  // Older files do not say.
  if (model.contains("merges")) return "BPE";
  return model.at("vocab").is_array() ? "Unigram" : "WordPiece";
}

void TokenizerJson::add_needed(std::set<std::int32_t>& ids, bool keep_characters) const {
  const json& model = json_.at("model");
  for (const json& added : json_.value("added_tokens", json::array())) {
    ids.insert(added.at("id").get<std::int32_t>());
  }
  if (model.contains("unk_id") && model["unk_id"].is_number()) {
    ids.insert(model["unk_id"].get<std::int32_t>());
  }
  const std::string unknown = text_field(model, "unk_token");
  for_each_token(model, [&](const std::string& token, std::int32_t id) {
    const bool spelling = keep_characters && (characters(bare(token)) == 1 || is_byte_token(token));
    if (spelling || token == unknown) ids.insert(id);
  });
  if (kind() == "Unigram") {
    double worst = std::numeric_limits<double>::infinity();
    std::int32_t worst_id = 0;
    for (std::size_t id = 0; id < model["vocab"].size(); ++id) {
      const double score = model["vocab"][id].at(1).get<double>();
      if (score < worst) {
        worst = score;
        worst_id = static_cast<std::int32_t>(id);
      }
    }
    ids.insert(worst_id);
  }
  if (kind() == "BPE") add_derivations(ids);
}

// A token that BPE arrives at was joined from two that it had arrived at before. All pairs that
// join to a needed token are kept, so that each step finds the same best merge as ever: of the
// rules that stay, none is new and none that was used is missing.
void TokenizerJson::add_derivations(std::set<std::int32_t>& ids) const {
  const json& model = json_.at("model");
  std::unordered_map<std::string, std::int32_t> id_of;
  std::unordered_map<std::int32_t, std::string> token_of;
  for_each_token(model, [&](const std::string& token, std::int32_t id) {
    id_of.emplace(token, id);
    token_of.emplace(id, token);
  });
  std::unordered_map<std::string, std::vector<std::pair<std::string, std::string>>> joins;
  for (const json& rule : model.at("merges")) {
    auto pair = merge_of(rule);
    joins[joined(pair.first, pair.second)].push_back(std::move(pair));
  }
  std::vector<std::int32_t> open(ids.begin(), ids.end());
  while (!open.empty()) {
    const std::int32_t id = open.back();
    open.pop_back();
    const auto token = token_of.find(id);
    if (token == token_of.end()) continue;
    const auto pairs = joins.find(token->second);
    if (pairs == joins.end()) continue;
    for (const auto& [first, second] : pairs->second) {
      for (const std::string* part : {&first, &second}) {
        const auto found = id_of.find(*part);
        if (found != id_of.end() && ids.insert(found->second).second) open.push_back(found->second);
      }
    }
  }
}

// Merges whose parts and result are all still there.
void TokenizerJson::reduce_merges(json& model) const {
  if (!model.contains("merges")) return;
  std::unordered_set<std::string> there;
  for_each_token(model, [&](const std::string& token, std::int32_t) { there.insert(token); });
  json merges = json::array();
  for (json& rule : model["merges"]) {
    const auto [first, second] = merge_of(rule);
    if (there.contains(first) && there.contains(second) && there.contains(joined(first, second))) {
      merges.push_back(std::move(rule));
    }
  }
  model["merges"] = std::move(merges);
}

// The mark of a piece that goes on is on the second part and goes when it is joined to the first.
std::string TokenizerJson::joined(const std::string& first, const std::string& second) const {
  return first + (second.starts_with(prefix_) ? second.substr(prefix_.size()) : second);
}

std::string TokenizerJson::bare(std::string token) const {
  if (token.starts_with(prefix_)) token.erase(0, prefix_.size());
  if (token.ends_with(suffix_)) token.erase(token.size() - suffix_.size());
  return token;
}

std::string TokenizerJson::renumbered(const NewId& new_id) const {
  json result = json_;
  renumber_vocabulary(result["model"], new_id);
  reduce_merges(result["model"]);
  if (result.contains("added_tokens")) {
    for (json& added : result["added_tokens"]) {
      added["id"] = new_id(added["id"].get<std::int64_t>());
    }
  }
  if (result.contains("post_processor")) renumber_post_processor(result["post_processor"], new_id);
  return result.dump();
}

std::string renumbered_tokenizer_config(const std::string& text, const NewId& new_id) {
  json config = json::parse(text);
  const auto found = config.find("added_tokens_decoder");
  if (found == config.end() || !found->is_object()) return text;
  json decoder = json::object();
  for (const auto& [id, token] : found->items()) {
    const bool digits =
        !id.empty() && id.size() < 10 && id.find_first_not_of("0123456789") == std::string::npos;
    const std::int32_t renamed = digits ? new_id(std::stoll(id)) : -1;
    if (renamed >= 0) decoder[std::to_string(renamed)] = token;
  }
  *found = std::move(decoder);
  return config.dump(2) + "\n";
}

}  // namespace kobolt
