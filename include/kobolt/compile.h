#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "kobolt/export.h"
#include "kobolt/model.h"

namespace kobolt {

/// Number format of an engine's weights.
enum class Precision : std::uint8_t { fp32, int8 };
KOBOLT_API std::string_view name_of(Precision precision);
/// Reads "fp32" or "int8". Throws Error(invalid_argument) listing what exists.
KOBOLT_API Precision precision_from_name(std::string_view name);

struct CompileOptions {
  Precision precision = Precision::fp32;
};

/// Writes `model` as an engine file (docs/format.md): packed, quantised, with settings and
/// tokenizer. Written beside, synced and renamed. Throws Error.
KOBOLT_API void compile(const Model& model, const std::filesystem::path& output,
                        const CompileOptions& options = {});

}  // namespace kobolt
