#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "kobolt/tokenizer.h"

namespace kobolt {

inline std::filesystem::path test_data() {
  return std::filesystem::path(KOBOLT_TEST_DATA) / "tokenizer";
}

/// Models and data that are too large, or not ours, to be in the repository.
inline std::filesystem::path shared_files() {
  return std::filesystem::path(KOBOLT_SOURCE_DIR).parent_path() / "shared";
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return bytes.str();
}

inline TokenizerFiles read_folder(const std::filesystem::path& folder) {
  TokenizerFiles files;
  for (const std::string_view name : tokenizer_file_names()) {
    if (std::filesystem::exists(folder / name)) {
      files[std::string(name)] = read_file(folder / name);
    }
  }
  return files;
}

/// A tokenizer from the text of a tokenizer.json alone.
inline Tokenizer from_json(std::string json) {
  return Tokenizer::load({{"tokenizer.json", std::move(json)}}, Family::bart);
}

}  // namespace kobolt
