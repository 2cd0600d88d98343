#include "tokenizer/folder_loader.h"

#include <array>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tokenizer/bpe.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/folder_settings.h"
#include "tokenizer/pipeline.h"
#include "tokenizer/sentencepiece_model.h"
#include "tokenizer/unicode.h"

namespace kobolt::text {
namespace {

// In the order of their ids; mBART-50 appends its own to mBART's.
constexpr std::size_t mbart_languages = 25;
constexpr std::array<std::string_view, 52> languages = {
    "ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN",
    "hi_IN", "it_IT", "ja_XX", "kk_KZ", "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP",
    "nl_XX", "ro_RO", "ru_RU", "si_LK", "tr_TR", "vi_VN", "zh_CN", "af_ZA", "az_AZ",
    "bn_IN", "fa_IR", "he_IL", "hr_HR", "id_ID", "ka_GE", "km_KH", "mk_MK", "ml_IN",
    "mn_MN", "mr_IN", "pl_PL", "ps_AF", "pt_XX", "sv_SE", "sw_KE", "ta_IN", "te_IN",
    "th_TH", "tl_XX", "uk_UA", "ur_PK", "xh_ZA", "gl_ES", "sl_SI"};

const std::string* find_file(const TokenizerFiles& files, const std::string& name) {
  const auto file = files.find(name);
  return file == files.end() ? nullptr : &file->second;
}

const std::string& file_of(const TokenizerFiles& files, const std::string& name) {
  const std::string* bytes = find_file(files, name);
  if (bytes == nullptr) {
    throw Error(ErrorKind::not_found, "is missing from the tokenizer", {.file = name});
  }
  return *bytes;
}

Vocabulary read_vocabulary(const TokenizerFiles& files, const std::string& name) {
  const nlohmann::json json = parse_json(file_of(files, name), name);
  return load_vocabulary(JsonField(json, name));
}

/// Collects the added tokens of a folder on the way to a Pipeline.
class Builder {
 public:
  Builder(FolderSettings settings, std::unique_ptr<TokenModel> model)
      : settings_(std::move(settings)) {
    parts_.model = std::move(model);
  }

  /// The id of the token that plays `role`; `otherwise` where the folder does not say which.
  std::int32_t add(const std::string& role, std::string otherwise, bool lstrip = false) {
    AddedToken token = settings_.special(role, {.content = std::move(otherwise), .lstrip = lstrip});
    std::string content = token.content;
    add(std::move(token));
    return parts_.added.find(content).value_or(Vocabulary::none);
  }
  void add(AddedToken token) {
    if (token.special) special_.insert(token.content);
    parts_.added.add(std::move(token), *parts_.model, nullptr);
  }
  /// What the folder's small files add beyond the family's own tokens.
  void add_rest() {
    for (auto& [token, id] : settings_.with_ids()) {
      if (parts_.added.find(token.content)) continue;
      if (token.special) special_.insert(token.content);
      parts_.added.add(std::move(token), *parts_.model, nullptr, id);
    }
    for (AddedToken& token : settings_.additional()) {
      if (!parts_.added.find(token.content)) add(std::move(token));
    }
  }

  [[nodiscard]] const FolderSettings& settings() const { return settings_; }
  [[nodiscard]] const std::unordered_set<std::string>& special() const { return special_; }
  PipelineParts& parts() { return parts_; }

  std::unique_ptr<Tokenizer::Impl> finish(std::unique_ptr<TokenDecoder> decoder,
                                          std::vector<std::int32_t> before,
                                          std::vector<std::int32_t> after) {
    parts_.decoders.push_back(std::move(decoder));
    parts_.has_decoder = true;
    if (const auto clean = settings_.config("clean_up_tokenization_spaces");
        clean && clean->boolean()) {
      parts_.decoders.push_back(make_clean_up_decoder());
    }
    parts_.post_processor = PostProcessor(std::move(before), std::move(after));
    parts_.added.finish();
    return std::make_unique<Pipeline>(std::move(parts_));
  }

 private:
  FolderSettings settings_;
  PipelineParts parts_;
  std::unordered_set<std::string> special_;
};

void read_merges(Bpe& model, std::string_view bytes) {
  const std::string file = "merges.txt";
  std::string storage;
  std::string_view rest = repaired_utf8(bytes, storage);
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      throw Error(ErrorKind::corrupt, "is no merge",
                  {.file = file,
                   .field = "line " + std::to_string(number),
                   .found = std::string(line),
                   .expected = "two tokens with one space between them"});
    }
    const auto missing = model.add_merge(line.substr(0, space), line.substr(space + 1));
    if (missing) {
      throw Error(ErrorKind::corrupt, "needs a token that vocab.json does not have",
                  {.file = file, .field = "line " + std::to_string(number), .found = *missing});
    }
  }
}

std::unique_ptr<Tokenizer::Impl> load_bart(const TokenizerFiles& files) {
  FolderSettings settings(files);
  const auto prefix_space = settings.config("add_prefix_space");
  auto model = std::make_unique<Bpe>(read_vocabulary(files, "vocab.json"), Bpe::Options{});
  read_merges(*model, file_of(files, "merges.txt"));
  Builder builder(std::move(settings), std::move(model));
  builder.add("bos_token", "<s>");
  builder.add("eos_token", "</s>");
  builder.add("unk_token", "<unk>");
  builder.add("pad_token", "<pad>");
  builder.add("mask_token", "<mask>", true);
  const std::int32_t begin = builder.add("cls_token", "<s>");
  const std::int32_t end = builder.add("sep_token", "</s>");
  builder.add_rest();
  builder.parts().pretokenizers.push_back(
      make_byte_level(prefix_space && prefix_space->boolean(), true));
  return builder.finish(make_byte_level_decoder(), {begin}, {end});
}

std::unique_ptr<Tokenizer::Impl> load_marian(const TokenizerFiles& files) {
  FolderSettings settings(files);
  const auto source =
      std::make_shared<const SentencePiece>(file_of(files, "source.spm"), "source.spm");
  const auto target =
      std::make_shared<const SentencePiece>(file_of(files, "target.spm"), "target.spm");
  Vocabulary vocabulary = read_vocabulary(files, "vocab.json");
  const std::string unknown = settings.special("unk_token", {.content = "<unk>"}).content;
  const std::int32_t unknown_id = vocabulary.find(unknown);
  if (unknown_id == Vocabulary::none) {
    throw Error(ErrorKind::corrupt, "lacks the unknown token",
                {.file = "vocab.json", .expected = unknown});
  }
  const auto separate = settings.config("separate_vocabs");
  Builder builder(std::move(settings), std::make_unique<SentencePieceModel>(
                                           std::move(vocabulary), source, unknown_id, true));
  if (separate && separate->boolean()) {
    builder.parts().target_vocabulary = read_vocabulary(files, "target_vocab.json");
  }
  builder.add("unk_token", "<unk>");
  const std::int32_t end = builder.add("eos_token", "</s>");
  builder.add("pad_token", "<pad>");
  builder.add_rest();
  return builder.finish(std::make_unique<SentencePieceDecoder>(
                            target, SentencePieceDecoder::Style::space_after, builder.special()),
                        {}, {end});
}

bool is_mbart50(const FolderSettings& settings) {
  if (const auto type = settings.config("tokenizer_class")) {
    return type->string().starts_with("MBart50");
  }
  for (const AddedToken& token : settings.additional()) {
    if (token.content == languages[mbart_languages]) return true;
  }
  return false;
}

std::unique_ptr<Tokenizer::Impl> load_mbart(const TokenizerFiles& files, const std::string& name) {
  FolderSettings settings(files);
  const auto pieces = std::make_shared<const SentencePiece>(file_of(files, name), name);
  const bool fifty = is_mbart50(settings);
  const std::size_t language_count = fifty ? languages.size() : mbart_languages;
  // fairseq's order of the first four; the rest is one further than in the SentencePiece model,
  // then come the languages and the mask.
  constexpr std::int32_t offset = 1;
  constexpr std::int32_t unknown = 3;
  Vocabulary vocabulary(static_cast<std::size_t>(pieces->size()) + language_count + 2);
  const std::array<std::string, 4> first = {"<s>", "<pad>", "</s>", "<unk>"};
  std::int32_t next = 0;
  for (const std::string& token : first) vocabulary.add(token, next++);
  for (std::int32_t i = 0; i < pieces->size(); ++i) vocabulary.add(pieces->piece(i), i + offset);
  next = pieces->size() + offset;
  for (std::size_t i = 0; i < language_count; ++i) vocabulary.add(languages[i], next++);
  vocabulary.add(settings.special("mask_token", {.content = "<mask>"}).content, next);

  const auto source_language = settings.config("src_lang");
  const std::string language = source_language ? source_language->string() : "en_XX";
  const std::int32_t language_id = vocabulary.find(language);
  if (language_id == Vocabulary::none) {
    source_language->fail(ErrorKind::corrupt, "is no language that this tokenizer knows");
  }
  Builder builder(std::move(settings), std::make_unique<SentencePieceModel>(
                                           std::move(vocabulary), pieces, unknown, false));
  builder.add("bos_token", "<s>");
  const std::int32_t end = builder.add("eos_token", "</s>");
  builder.add("unk_token", "<unk>");
  builder.add("pad_token", "<pad>");
  builder.add("mask_token", "<mask>", true);
  for (std::size_t i = 0; i < language_count; ++i) {
    builder.add({.content = std::string(languages[i]), .normalized = false, .special = true});
  }
  builder.add_rest();
  using Style = SentencePieceDecoder::Style;
  auto decoder = std::make_unique<SentencePieceDecoder>(
      pieces, fifty ? Style::space_before : Style::joined, builder.special());
  if (fifty) return builder.finish(std::move(decoder), {language_id}, {end});
  return builder.finish(std::move(decoder), {}, {end, language_id});
}

std::unique_ptr<Tokenizer::Impl> load_pegasus(const TokenizerFiles& files,
                                              const std::string& name) {
  FolderSettings settings(files);
  const auto pieces = std::make_shared<const SentencePiece>(file_of(files, name), name);
  // Before the model's pieces come tokens that only pre-training uses.
  constexpr std::int64_t usual_offset = 103;
  constexpr std::int64_t largest_offset = 1 << 16;
  const auto offset_field = settings.config("offset");
  const auto offset = static_cast<std::int32_t>(
      offset_field ? offset_field->integer(0, largest_offset) : usual_offset);
  std::vector<std::string> reserved = {"<mask_1>"};
  for (std::int32_t i = 2; i < offset; ++i) reserved.push_back("<unk_" + std::to_string(i) + ">");

  Vocabulary vocabulary(static_cast<std::size_t>(pieces->size()) + reserved.size());
  vocabulary.add(settings.special("pad_token", {.content = "<pad>"}).content, 0);
  vocabulary.add(settings.special("eos_token", {.content = "</s>"}).content, 1);
  vocabulary.add(reserved[0], 2);
  vocabulary.add(settings.special("mask_token", {.content = "<mask_2>"}).content, 3);
  for (std::size_t i = 1; i < reserved.size(); ++i) {
    vocabulary.add(reserved[i], static_cast<std::int32_t>(i) + 3);
  }
  for (std::int32_t i = 0; i < pieces->size(); ++i) vocabulary.add(pieces->piece(i), i + offset);

  const std::string unknown = settings.special("unk_token", {.content = "<unk>"}).content;
  const std::int32_t unknown_id = vocabulary.find(unknown);
  if (unknown_id == Vocabulary::none) {
    throw Error(ErrorKind::corrupt, "lacks the unknown token", {.file = name, .expected = unknown});
  }
  Builder builder(std::move(settings), std::make_unique<SentencePieceModel>(
                                           std::move(vocabulary), pieces, unknown_id, false));
  builder.add("pad_token", "<pad>");
  const std::int32_t end = builder.add("eos_token", "</s>");
  builder.add("unk_token", "<unk>");
  builder.add("mask_token", "<mask_2>");
  for (std::string& token : reserved) {
    builder.add({.content = std::move(token), .normalized = false, .special = true});
  }
  builder.add_rest();
  return builder.finish(std::make_unique<SentencePieceDecoder>(
                            pieces, SentencePieceDecoder::Style::plain, builder.special()),
                        {}, {end});
}

}  // namespace

std::unique_ptr<Tokenizer::Impl> load_tokenizer_folder(const TokenizerFiles& files, Family family) {
  switch (family) {
    case Family::bart:
      if (find_file(files, "vocab.json") != nullptr) return load_bart(files);
      break;
    case Family::marian:
      if (find_file(files, "source.spm") != nullptr) return load_marian(files);
      break;
    case Family::mbart:
      for (const char* name : {"sentencepiece.bpe.model", "tokenizer.model", "spiece.model"}) {
        if (find_file(files, name) != nullptr) return load_mbart(files, name);
      }
      break;
    case Family::pegasus:
      for (const char* name : {"spiece.model", "tokenizer.model"}) {
        if (find_file(files, name) != nullptr) return load_pegasus(files, name);
      }
      break;
  }
  throw Error(ErrorKind::not_found, "the checkpoint has no tokenizer",
              {.file = "tokenizer.json",
               .expected = "tokenizer.json; for BART vocab.json and merges.txt, for Marian "
                           "source.spm, target.spm and vocab.json, for mBART "
                           "sentencepiece.bpe.model, for Pegasus spiece.model",
               .hint = "copy the tokenizer's files into the checkpoint's folder"});
}

}  // namespace kobolt::text
