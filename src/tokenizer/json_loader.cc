#include "tokenizer/json_loader.h"

#include <limits>
#include <string>
#include <utility>

#include "tokenizer/folder_settings.h"
#include "tokenizer/pipeline.h"

namespace kobolt::text {
namespace {

Truncation load_truncation(const JsonField& field) {
  Truncation result;
  result.max_length = static_cast<std::size_t>(
      field.at("max_length").integer(0, std::numeric_limits<std::int64_t>::max()));
  const std::string direction = field.text("direction", "Right");
  if (direction != "Right" && direction != "Left") {
    field.at("direction").fail(ErrorKind::unsupported, "is unknown", "Left or Right");
  }
  result.from_left = direction == "Left";
  const std::string strategy = field.text("strategy", "LongestFirst");
  if (strategy != "LongestFirst" && strategy != "OnlyFirst") {
    field.at("strategy")
        .fail(ErrorKind::unsupported, "does not apply to one text", "LongestFirst or OnlyFirst");
  }
  result.keep_some = strategy == "OnlyFirst";
  return result;
}

}  // namespace

std::unique_ptr<Tokenizer::Impl> load_tokenizer_json(std::string_view bytes) {
  const std::string file = "tokenizer.json";
  const nlohmann::json document = parse_json(bytes, file);
  const JsonField root(document, file);
  if (const auto version = root.find("version"); version && version->string() != "1.0") {
    version->fail(ErrorKind::unsupported, "is a version that Kobolt does not know", "\"1.0\"");
  }
  PipelineParts parts;
  if (const auto field = root.find("normalizer")) parts.normalizer = load_normalizer(*field);
  if (const auto field = root.find("pre_tokenizer")) {
    load_pretokenizers(*field, parts.pretokenizers);
  }
  parts.model = load_model(root.at("model"));
  if (const auto field = root.find("post_processor")) parts.post_processor = PostProcessor(*field);
  if (const auto field = root.find("decoder")) {
    load_decoders(*field, parts.decoders);
    parts.has_decoder = true;
  }
  if (const auto field = root.find("truncation")) parts.truncation = load_truncation(*field);
  if (const auto list = root.find("added_tokens")) {
    for (std::size_t i = 0; i < list->array().size(); ++i) {
      parts.added.add(load_added_token(list->element(i), false), *parts.model,
                      parts.normalizer.get());
    }
  }
  parts.added.finish();
  return std::make_unique<Pipeline>(std::move(parts));
}

}  // namespace kobolt::text
