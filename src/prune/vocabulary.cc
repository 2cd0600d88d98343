#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kobolt/error.h"
#include "kobolt/prune.h"
#include "kobolt/tokenizer.h"
#include "prune/take.h"
#include "prune/tokenizer_json.h"

namespace kobolt {
namespace {

using nlohmann::ordered_json;

constexpr const char* kTokenizerJson = "tokenizer.json";

// Fields of config.json and generation_config.json that hold ids: a number, a list or a list of
// lists.
bool holds_ids(const std::string& key) {
  constexpr std::array kLists{"bad_words_ids", "force_words_ids", "suppress_tokens",
                              "begin_suppress_tokens"};
  return key.ends_with("_token_id") || std::ranges::find(kLists, key) != kLists.end();
}

template <typename Visit>
void for_each_id(ordered_json& value, const Visit& visit) {
  if (value.is_number_integer()) {
    visit(value);
  } else if (value.is_array()) {
    for (ordered_json& element : value) for_each_id(element, visit);
  }
}

// Settings for tasks lie deeper.
template <typename Visit>
void for_each_setting_id(ordered_json& settings, const Visit& visit) {
  for (auto& [key, value] : settings.items()) {
    if (holds_ids(key)) {
      for_each_id(value, visit);
    } else if (value.is_object()) {
      for_each_setting_id(value, visit);
    }
  }
}

/// Old ids to new ones.
class Renumbering {
 public:
  Renumbering(const std::set<std::int32_t>& kept, std::int64_t vocabulary)
      : kept_(kept.begin(), kept.end()), new_ids_(static_cast<std::size_t>(vocabulary), -1) {
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      new_ids_[static_cast<std::size_t>(kept_[i])] = static_cast<std::int32_t>(i);
    }
  }

  [[nodiscard]] const std::vector<std::int64_t>& kept() const { return kept_; }
  [[nodiscard]] std::int32_t operator()(std::int64_t old) const {
    return old >= 0 && static_cast<std::size_t>(old) < new_ids_.size()
               ? new_ids_[static_cast<std::size_t>(old)]
               : -1;
  }

 private:
  std::vector<std::int64_t> kept_;
  std::vector<std::int32_t> new_ids_;
};

ordered_json parse(const std::string& text) {
  return text.empty() ? ordered_json::object() : ordered_json::parse(text);
}

void renumber_settings(std::string& text, const Renumbering& ids) {
  if (text.empty()) return;
  ordered_json settings = parse(text);
  // What never was a token of the model (-1, an id beyond its vocabulary) stays what it is.
  for_each_setting_id(settings, [&](ordered_json& id) {
    const std::int32_t renamed = ids(id.get<std::int64_t>());
    if (renamed >= 0) id = renamed;
  });
  text = settings.dump(2) + "\n";
}

void renumber(GenerationConfig& generation, const Renumbering& ids) {
  const auto one = [&](std::int32_t& id) { id = ids(id) >= 0 ? ids(id) : id; };
  const auto many = [&](std::vector<std::int32_t>& list) { std::ranges::for_each(list, one); };
  for (auto* id : {&generation.bos_token_id, &generation.pad_token_id,
                   &generation.decoder_start_token_id, &generation.forced_bos_token_id}) {
    if (id->has_value()) one(**id);
  }
  for (auto* list : {&generation.eos_token_id, &generation.forced_eos_token_id,
                     &generation.suppress_tokens, &generation.begin_suppress_tokens}) {
    many(*list);
  }
  std::ranges::for_each(generation.bad_words_ids, many);
}

void check(const Model& model) {
  const auto refuse = [&](const char* message, const char* hint) {
    throw Error(ErrorKind::unsupported, message, {.file = model.provenance.source, .hint = hint});
  };
  if (!model.tokenizer.contains(kTokenizerJson)) {
    refuse("the vocabulary can only be reduced together with a tokenizer.json",
           "save the tokenizer with transformers (AutoTokenizer, save_pretrained) first");
  }
  if (model.config.encoder_vocab_size != model.config.vocab_size) {
    refuse("encoder and decoder have vocabularies of their own", "");
  }
}

// What every result needs: ids that settings name, and those that the model cannot do without.
std::set<std::int32_t> setting_ids(const Model& model) {
  std::set<std::int32_t> ids;
  for (const std::string* text : {&model.raw_config, &model.raw_generation_config}) {
    ordered_json settings = parse(*text);
    for_each_setting_id(settings, [&](ordered_json& id) {
      const auto value = id.get<std::int64_t>();
      if (value >= 0 && value < model.config.vocab_size) {
        ids.insert(static_cast<std::int32_t>(value));
      }
    });
  }
  return ids;
}

void shrink_tensors(Model& model, const Renumbering& ids) {
  for (const char* name :
       {"model.shared.weight", "model.encoder.embed_tokens.weight",
        "model.decoder.embed_tokens.weight", "lm_head.weight", "final_logits_bias"}) {
    const auto found = model.tensors.find(name);
    if (found == model.tensors.end()) continue;
    const bool bias = std::string(name) == "final_logits_bias";
    const int dim = bias ? 1 : 0;
    const std::int64_t before = found->second.elements();
    found->second = take_channels(found->second, dim, ids.kept());
    if (!bias) model.pruning.removed_params += before - found->second.elements();
    if (const auto mask = model.masks.find(name); mask != model.masks.end()) {
      mask->second = take_channels(mask->second, dim, ids.kept());
    }
  }
  model.config.vocab_size = static_cast<int>(ids.kept().size());
  model.config.encoder_vocab_size = model.config.vocab_size;
}

std::vector<std::vector<std::int32_t>> encode_all(const Tokenizer& tokenizer,
                                                  std::span<const std::string> corpus) {
  std::vector<std::vector<std::int32_t>> sequences;
  sequences.reserve(corpus.size());
  for (const std::string& text : corpus) sequences.push_back(tokenizer.encode(text));
  return sequences;
}

// The promise, checked on every text.
void verify(const Model& model, std::span<const std::string> corpus,
            const std::vector<std::vector<std::int32_t>>& before, const Renumbering& ids) {
  const Tokenizer tokenizer = Tokenizer::load(model.tokenizer, model.config.family);
  for (std::size_t i = 0; i < corpus.size(); ++i) {
    std::vector<std::int32_t> expected = before[i];
    for (std::int32_t& id : expected) id = ids(id);
    if (tokenizer.encode(corpus[i]) != expected) {
      throw Error(ErrorKind::unsupported,
                  "with this tokenizer a smaller vocabulary would cut texts into other tokens",
                  {.file = model.provenance.source, .field = fmt::format("text {}", i + 1)});
    }
  }
}

VocabularyReport reduce(Model& model, std::span<const std::string> corpus, bool keep_characters) {
  const Tokenizer tokenizer = Tokenizer::load(model.tokenizer, model.config.family);
  const auto before = encode_all(tokenizer, corpus);
  std::set<std::int32_t> used = setting_ids(model);
  for (const auto& sequence : before) used.insert(sequence.begin(), sequence.end());

  TokenizerJson file(model.tokenizer.at(kTokenizerJson));
  file.add_needed(used, keep_characters);
  if (!used.empty() && *used.rbegin() >= model.config.vocab_size) {
    throw Error(ErrorKind::corrupt, "the tokenizer has tokens that the model does not know",
                {.file = model.provenance.source,
                 .found = fmt::format("id {}", *used.rbegin()),
                 .expected = fmt::format("below {}", model.config.vocab_size)});
  }
  const Renumbering ids(used, model.config.vocab_size);
  const auto renamed = [&](std::int64_t old) { return ids(old); };

  Model smaller = model;
  VocabularyReport report{.before = model.config.vocab_size,
                          .after = static_cast<int>(ids.kept().size())};
  smaller.tokenizer[kTokenizerJson] = file.renumbered(renamed);
  if (const auto found = smaller.tokenizer.find("tokenizer_config.json");
      found != smaller.tokenizer.end()) {
    found->second = renumbered_tokenizer_config(found->second, renamed);
  }
  // The older forms of the same vocabulary.
  for (const char* name :
       {"vocab.json", "target_vocab.json", "merges.txt", "vocab.txt", "added_tokens.json",
        "source.spm", "target.spm", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model"}) {
    smaller.tokenizer.erase(name);
  }
  shrink_tensors(smaller, ids);
  renumber_settings(smaller.raw_config, ids);
  renumber_settings(smaller.raw_generation_config, ids);
  renumber(smaller.generation, ids);
  verify(smaller, corpus, before, ids);
  smaller.provenance.steps.push_back(
      fmt::format("vocabulary of {} reduced to {}", report.before, report.after));
  model = std::move(smaller);
  return report;
}

}  // namespace

VocabularyReport prune_vocabulary(Model& model, std::span<const std::string> corpus,
                                  bool keep_characters) {
  check(model);
  try {
    return reduce(model, corpus, keep_characters);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::corrupt,
                fmt::format("the tokenizer's files are not as they should be: {}", error.what()),
                {.file = model.provenance.source});
  }
}

}  // namespace kobolt
