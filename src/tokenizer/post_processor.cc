#include "tokenizer/post_processor.h"

#include <algorithm>
#include <string>
#include <utility>

namespace kobolt::text {
namespace {

// ["</s>", 2], as BertProcessing and RobertaProcessing name their tokens.
std::int32_t named_token(const JsonField& field) {
  if (field.array().size() != 2) {
    field.fail(ErrorKind::corrupt, "is no token", "a token and its id");
  }
  return field.element(1).token_id();
}

}  // namespace

PostProcessor::PostProcessor(std::vector<std::int32_t> before, std::vector<std::int32_t> after) {
  templates_.push_back({{false, std::move(before)}, {true, {}}, {false, std::move(after)}});
}

PostProcessor::PostProcessor(const JsonField& field) {
  load(field);
  // Templates may repeat the text; a hostile file could do it without end.
  constexpr std::size_t most_copies = 8;
  constexpr std::size_t most_special = 4096;
  std::size_t copies = 1;
  for (const Template& parts : templates_) {
    copies *= static_cast<std::size_t>(
        std::count_if(parts.begin(), parts.end(), [](const Part& part) { return part.is_text; }));
    if (copies > most_copies || added() > most_special) {
      field.fail(ErrorKind::unsupported, "repeats the text or special tokens too often");
    }
  }
}

void PostProcessor::load(const JsonField& field) {
  const JsonField type = field.at("type");
  const std::string& name = type.string();
  if (name == "Sequence") {
    const JsonField list = field.at("processors");
    list.check_depth();
    for (std::size_t i = 0; i < list.array().size(); ++i) load(list.element(i));
  } else if (name == "TemplateProcessing") {
    load_template(field);
  } else if (name == "BertProcessing" || name == "RobertaProcessing") {
    templates_.push_back({{false, {named_token(field.at("cls"))}},
                          {true, {}},
                          {false, {named_token(field.at("sep"))}}});
  } else if (name != "ByteLevel") {  // which only corrects offsets
    type.fail(ErrorKind::unsupported, "is a post-processor that Kobolt does not know",
              "BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing");
  }
}

void PostProcessor::load_template(const JsonField& field) {
  const JsonField pieces = field.at("single");
  Template parts;
  for (std::size_t i = 0; i < pieces.array().size(); ++i) {
    const JsonField piece = pieces.element(i);
    if (const auto sequence = piece.find("Sequence")) {
      const JsonField id = sequence->at("id");
      if (id.string() != "A") {
        id.fail(ErrorKind::corrupt, "asks for a second text in the template of one", "\"A\"");
      }
      parts.push_back({true, {}});
    } else if (const auto special = piece.find("SpecialToken")) {
      const std::string& name = special->at("id").string();
      const JsonField ids = field.at("special_tokens").at(name).at("ids");
      Part part{false, {}};
      for (std::size_t k = 0; k < ids.array().size(); ++k) {
        part.special.push_back(ids.element(k).token_id());
      }
      parts.push_back(std::move(part));
    } else {
      piece.fail(ErrorKind::unsupported, "is no part of a template", "Sequence or SpecialToken");
    }
  }
  templates_.push_back(std::move(parts));
}

std::size_t PostProcessor::added() const {
  std::size_t count = 0;
  for (const Template& parts : templates_) {
    for (const Part& part : parts) count += part.special.size();
  }
  return count;
}

void PostProcessor::process(std::vector<std::int32_t>& ids, bool add_special_tokens) const {
  for (const Template& parts : templates_) {
    std::vector<std::int32_t> result;
    result.reserve(ids.size() + added());
    for (const Part& part : parts) {
      if (part.is_text) {
        result.insert(result.end(), ids.begin(), ids.end());
      } else if (add_special_tokens) {
        result.insert(result.end(), part.special.begin(), part.special.end());
      }
    }
    ids = std::move(result);
  }
}

}  // namespace kobolt::text
