#include "cli/work_flags.h"

#include <fmt/format.h>

namespace kobolt::cli {

void WorkFlags::add(CLI::App& command) {
  const BenchmarkOptions defaults;
  const char* random = "Work: random documents of exact length (the default)";
  command.add_option("--batch", batch_, "Documents at once")->capture_default_str()->group(random);
  command
      .add_option("--sequence", sequence_,
                  fmt::format("Tokens of each document (default: {})", defaults.sequence))
      ->group(random);
  command
      .add_option("--beams,--num-beams", beams_,
                  fmt::format("Beams, 1 = greedy (default: {}; with --data, the checkpoint's)",
                              defaults.beams))
      ->group(random);
  command
      .add_option("--new-tokens", new_tokens_,
                  fmt::format("Tokens to generate, exactly (default: {}); with --data, at most "
                              "(default: the checkpoint's)",
                              defaults.new_tokens))
      ->group(random);
  auto* encoder =
      command.add_flag("--encoder-only", encoder_only_, "Run the encoder and generate nothing")
          ->group(random);
  command.add_option("--seed", seed_, "Of everything that is drawn at random")
      ->capture_default_str()
      ->group(random);

  const char* real = "Work: real documents";
  command
      .add_option("--data", data_,
                  "Documents: .jsonl, .json, .csv, .tsv or text; tokenising counts, and summaries "
                  "end where the model ends them")
      ->type_name("FILE")
      ->excludes(encoder)
      ->group(real);
  command.add_option("--document-field", fields_.document_field, "Field of the document")
      ->capture_default_str()
      ->group(real);
  command.add_option("--summary-field", fields_.summary_field, "Field of the reference")
      ->capture_default_str()
      ->group(real);
  command.add_option("--limit", limit_, "Only the first N documents; 0 = all")
      ->type_name("N")
      ->group(real);
}

std::vector<Example> WorkFlags::examples(bool need_references) const {
  DatasetOptions fields = fields_;
  fields.need_references = need_references;
  std::vector<Example> examples = read_dataset(data_, fields);
  if (limit_ > 0 && examples.size() > limit_) examples.resize(limit_);
  return examples;
}

BenchmarkOptions WorkFlags::options() const {
  BenchmarkOptions options;
  options.batch = batch_;
  options.sequence = sequence_.value_or(options.sequence);
  options.beams = beams_.value_or(options.beams);
  options.new_tokens = new_tokens_.value_or(options.new_tokens);
  options.encoder_only = encoder_only_;
  options.seed = seed_;
  if (data_.empty()) return options;
  if (sequence_) {
    throw CLI::ValidationError("--sequence", "the documents of --data have lengths of their own");
  }
  for (Example& example : examples(false)) options.documents.push_back(std::move(example.document));
  return options;
}

std::optional<GenerationConfig> WorkFlags::generation(const GenerationConfig& checkpoint) const {
  if (data_.empty()) return std::nullopt;
  GenerationConfig generation = checkpoint;
  if (beams_) generation.num_beams = *beams_;
  if (new_tokens_) {
    generation.max_new_tokens = *new_tokens_;
    generation.max_length.reset();
  }
  return generation;
}

std::string WorkFlags::text() const {
  const BenchmarkOptions defaults;
  const int sequence = sequence_.value_or(defaults.sequence);
  if (encoder_only_) return fmt::format("encoder only, {} x {} tokens", batch_, sequence);
  if (data_.empty()) {
    return fmt::format("{} x {} tokens in, {} out, {} beams", batch_, sequence,
                       new_tokens_.value_or(defaults.new_tokens), beams_.value_or(defaults.beams));
  }
  std::string text = fmt::format("{} of {} at once", batch_, data_);
  if (beams_) text += fmt::format(", {} beams", *beams_);
  if (new_tokens_) text += fmt::format(", at most {} tokens out", *new_tokens_);
  return text;
}

Json WorkFlags::json() const {
  const BenchmarkOptions defaults;
  Json json{{"batch", batch_}};
  if (data_.empty()) {
    json["sequence"] = sequence_.value_or(defaults.sequence);
    json["encoder_only"] = encoder_only_;
    if (!encoder_only_) {
      json["beams"] = beams_.value_or(defaults.beams);
      json["new_tokens"] = new_tokens_.value_or(defaults.new_tokens);
    }
  } else {
    json["data"] = data_;
    if (limit_ > 0) json["limit"] = limit_;
    if (beams_) json["beams"] = *beams_;
    if (new_tokens_) json["new_tokens"] = *new_tokens_;
  }
  json["seed"] = seed_;
  return json;
}

}  // namespace kobolt::cli
