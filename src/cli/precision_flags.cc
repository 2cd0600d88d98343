#include "cli/precision_flags.h"

namespace kobolt::cli {

void PrecisionFlags::add(CLI::App& command, const std::string& purpose) {
  command
      .add_option(
          "--precision", precision_,
          purpose +
              ": fp32; fp16, with products in fp32; bf16, with products in fp32 or, where the "
              "processor has them, in bf16; int8, with a scale for each output feature and "
              "activations quantised per row at run time; int4, with a scale for each 32 "
              "weights (embeddings and output projection stay int8)")
      ->check(CLI::IsMember({"fp32", "fp16", "bf16", "int8", "int4"}))
      ->capture_default_str();
  command
      .add_option("--layer", layers_,
                  "Another precision for the matrices of a name, such as 'lm_head=fp16' or "
                  "'decoder.layers.*.fc1=int8'; repeatable, the last match wins")
      ->type_name("PATTERN=PRECISION")
      ->allow_extra_args(false);
  command
      .add_option(
          "--sparse", sparse_,
          "Matrices with many zeros are stored without them. auto: where that takes no more "
          "time, blocks of 16x1; small: wherever it saves a tenth of the bytes; off: "
          "nowhere. The results are the same")
      ->check(CLI::IsMember({"auto", "small", "off"}))
      ->capture_default_str();
}

CompileOptions PrecisionFlags::options() const {
  CompileOptions options{.precision = precision_from_name(precision_)};
  for (const std::string& layer : layers_) {
    options.layers.push_back(layer_precision_from_text(layer));
  }
  options.sparse = sparse_storage_from_name(sparse_);
  return options;
}

std::string PrecisionFlags::text() const {
  std::string text = precision_;
  for (const std::string& layer : layers_) text += ", " + layer;
  return text;
}

}  // namespace kobolt::cli
