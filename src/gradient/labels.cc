#include "gradient/labels.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "kobolt/error.h"

namespace kobolt {
namespace {

using Ids = std::vector<std::int32_t>;

void append_end(Ids& ids, std::int32_t end, std::size_t most) {
  if (ids.size() >= most) ids.resize(most - 1);
  ids.push_back(end);
}

}  // namespace

TokenizerFiles summary_tokenizer_files(const TokenizerFiles& files, Family family) {
  TokenizerFiles own = files;
  if (family != Family::marian) return own;
  if (const auto found = files.find("target.spm"); found != files.end()) {
    own["source.spm"] = found->second;
  }
  if (const auto found = files.find("target_vocab.json"); found != files.end()) {
    own["vocab.json"] = found->second;
  }
  return own;
}

Ids summary_labels(Ids ids, const Model& model) {
  const GenerationConfig& generation = model.generation;
  if (generation.eos_token_id.empty()) return ids;
  const auto is_end = [&](std::int32_t id) {
    return std::ranges::find(generation.eos_token_id, id) != generation.eos_token_id.end();
  };
  const auto most = static_cast<std::size_t>(model.config.max_positions);
  const bool ends = !ids.empty() && is_end(ids.back());
  const bool language_behind = ids.size() > 1 && is_end(ids[ids.size() - 2]) && !ends;
  if (model.config.family != Family::mbart || !(ends || language_behind)) {
    if (!ends) append_end(ids, generation.eos_token_id.front(), most);
  } else if (language_behind) {
    ids.back() = generation.decoder_start_token_id.value_or(ids.back());
  } else if (ids.size() > 1) {
    ids.front() = generation.forced_bos_token_id.value_or(ids.front());
  }
  return ids;
}

Ids shift_right(const Ids& labels, const Model& model) {
  const GenerationConfig& generation = model.generation;
  std::optional<std::int32_t> start = generation.decoder_start_token_id
                                          ? generation.decoder_start_token_id
                                          : generation.bos_token_id;
  if (model.config.family == Family::mbart && !labels.empty()) start = labels.back();
  if (!start) {
    throw Error(ErrorKind::invalid_argument, "nothing tells what the decoder starts with",
                {.file = model.provenance.source,
                 .field = "decoder_start_token_id",
                 .found = "nothing",
                 .expected = "a token id",
                 .hint = "set decoder_start_token_id or bos_token_id"});
  }
  Ids shifted = {*start};
  if (!labels.empty()) shifted.insert(shifted.end(), labels.begin(), labels.end() - 1);
  return shifted;
}

}  // namespace kobolt
