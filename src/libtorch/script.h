#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "format/engine_file.h"
#include "libtorch/family.h"

namespace kobolt {

/// The methods of a TorchScript file, as docs/backends.md describes them for Python.
inline constexpr const char* kScriptEncode = "encode";
inline constexpr const char* kScriptFirst = "decode_first";
inline constexpr const char* kScriptNext = "decode_next";
/// The extra file with the description of an engine file; tokenizer files are beside it.
inline constexpr const char* kScriptDescription = "kobolt.json";

/// Traces the three steps of `family`, freezes them and writes them with settings and tokenizer.
void write_script(TorchFamily& family, const EngineMetadata& metadata,
                  const TokenizerFiles& tokenizer, const std::filesystem::path& path);

struct OpenedScript {
  std::shared_ptr<TorchSteps> steps;
  EngineMetadata metadata;
  TokenizerFiles tokenizer;
};

/// Throws Error naming the file where it is not such a file.
OpenedScript open_script(const std::filesystem::path& path);

}  // namespace kobolt
