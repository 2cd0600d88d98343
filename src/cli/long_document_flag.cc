#include "cli/long_document_flag.h"

namespace kobolt::cli {

void LongDocumentFlag::add(CLI::App& command) {
  command
      .add_option("--long", text_,
                  "Documents beyond the model's positions: truncate, split into parts whose "
                  "summaries are joined, or error")
      ->check(CLI::IsMember({"truncate", "split", "error"}))
      ->capture_default_str();
}

LongDocument LongDocumentFlag::value() const {
  if (text_ == "split") return LongDocument::split;
  return text_ == "error" ? LongDocument::error : LongDocument::truncate;
}

}  // namespace kobolt::cli
