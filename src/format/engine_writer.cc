#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "format/engine_file.h"
#include "format/header.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

/// Version 1 knew two layouts of matrices a file, those of its precision.
bool fits_version_1(const Section& section, Precision precision) {
  if (section.shape.size() != 2) return true;
  switch (section.layout) {
    case Layout::rows_f32:
    case Layout::panels_f32:
      return precision == Precision::fp32;
    case Layout::rows_i8:
    case Layout::panels_i8:
      return precision == Precision::int8;
    default:
      return false;
  }
}

/// The oldest version whose readers understand the file.
std::uint32_t version_of(const std::vector<Section>& sections, Precision precision) {
  if (std::ranges::any_of(sections, [](const Section& section) {
        return sparse_layout(section.layout).has_value();
      })) {
    return 3;
  }
  const bool old = (precision == Precision::fp32 || precision == Precision::int8) &&
                   std::ranges::all_of(sections, [precision](const Section& section) {
                     return fits_version_1(section, precision);
                   });
  return old ? 1 : 2;
}

}  // namespace

EngineWriter::EngineWriter(EngineSink& sink) : sink_(sink) {
  const std::array<std::byte, sizeof(EngineHeader)> placeholder{};
  append(placeholder);
}

void EngineWriter::append(std::span<const std::byte> bytes) {
  sink_.append(bytes);
  position_ += bytes.size();
  static constexpr std::array<std::byte, kSectionAlignment> kZeros{};
  const std::size_t padding =
      (kSectionAlignment - position_ % kSectionAlignment) % kSectionAlignment;
  sink_.append(std::span(kZeros).first(padding));
  position_ += padding;
}

void EngineWriter::add(std::string name, Layout layout, std::vector<std::int64_t> shape,
                       std::span<const std::byte> bytes) {
  const bool sized = sparse_layout(layout) || bytes.size() == section_size(layout, shape);
  if (!sized || !check_content(layout, shape, bytes).empty()) {
    throw Error(ErrorKind::invalid_argument, "a section's bytes do not match its shape",
                {.field = name});
  }
  sections_.push_back({.name = std::move(name),
                       .layout = layout,
                       .shape = std::move(shape),
                       .offset = position_,
                       .size = bytes.size(),
                       .hash = hash64(bytes)});
  append(bytes);
}

void EngineWriter::finish(const EngineMetadata& metadata) {
  const std::string json = metadata_to_json(metadata, sections_);
  const auto bytes = std::as_bytes(std::span(json));
  EngineHeader header;
  header.version = version_of(sections_, metadata.precision);
  header.metadata_offset = position_;
  header.metadata_size = bytes.size();
  header.metadata_hash = hash64(bytes);
  header.file_size = position_ + bytes.size();
  sink_.append(bytes);
  position_ += bytes.size();
  std::array<std::byte, sizeof(EngineHeader)> raw;
  std::memcpy(raw.data(), &header, sizeof(header));
  header.header_hash = hash64(std::span(raw).first(offsetof(EngineHeader, header_hash)));
  std::memcpy(raw.data(), &header, sizeof(header));
  sink_.overwrite(0, raw);
}

}  // namespace kobolt
