#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "kernels/sparse.h"
#include "kobolt/compile.h"
#include "kobolt/model.h"

/// The engine file, docs/format.md: a 64-byte header, sections aligned to 64 bytes, and a JSON
/// description of both at the end. Everything little-endian.
namespace kobolt {

/// The newest version. A file says the oldest one whose readers understand it: 1 has fp32 and int8,
/// one for the whole file; 2 has more layouts, and a file may mix them; 3 has sparse ones.
inline constexpr std::uint32_t kEngineFormatVersion = 3;
inline constexpr std::size_t kSectionAlignment = 64;

/// How a section's bytes are arranged. The names are in the file: never change their meaning.
enum class Layout : std::uint8_t {
  rows_f32,     ///< row-major float32
  rows_f16,     ///< row-major binary16
  rows_bf16,    ///< row-major bfloat16
  rows_i8,      ///< row-major int8; the scales, one a row, are in NAME.scales
  panels_f32,   ///< kernels::PackedF32
  panels_f16,   ///< kernels::PackedF16
  panels_bf16,  ///< kernels::PackedBF16
  panels_i8,    ///< kernels::PackedI8; the scales, one a padded row, are in NAME.scales
  panels_i4,    ///< kernels::PackedI4, scales included
  blocks_f32,   ///< kernels::SparseF32 of the form `blocks`
  blocks_f16,
  blocks_bf16,
  blocks_i8,   ///< scales as for panels_i8
  values_f32,  ///< kernels::SparseF32 of the form `values`
  values_f16,
  values_bf16,
  values_i8,  ///< scales as for panels_i8
  bytes,      ///< a file kept as it is
};
inline constexpr std::array kLayouts = {
    Layout::rows_f32,   Layout::rows_f16,   Layout::rows_bf16,   Layout::rows_i8,
    Layout::panels_f32, Layout::panels_f16, Layout::panels_bf16, Layout::panels_i8,
    Layout::panels_i4,  Layout::blocks_f32, Layout::blocks_f16,  Layout::blocks_bf16,
    Layout::blocks_i8,  Layout::values_f32, Layout::values_f16,  Layout::values_bf16,
    Layout::values_i8,  Layout::bytes};
std::string_view name_of(Layout layout);

/// How a matrix of a sparse layout leaves zeros out.
struct SparseLayout {
  kernels::SparseForm form = kernels::SparseForm::blocks;
  std::size_t value_bytes = 0;
};
/// Nothing for a layout that stores everything.
std::optional<SparseLayout> sparse_layout(Layout layout);

/// Bytes that a tensor of `shape` takes in `layout`; of a sparse layout, what it takes without any
/// value. Throws Error(corrupt) for shapes that do not fit the layout or overflow.
std::uint64_t section_size(Layout layout, std::span<const std::int64_t> shape);
/// What is wrong with the content of a section, empty if nothing; only sparse layouts have content
/// that can be wrong. Throws as section_size does.
std::string_view check_content(Layout layout, std::span<const std::int64_t> shape,
                               std::span<const std::byte> bytes);

struct Section {
  std::string name;
  Layout layout = Layout::bytes;
  std::vector<std::int64_t> shape;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t hash = 0;  ///< XXH3-64
};

/// What the JSON description holds beside the sections.
struct EngineMetadata {
  Precision precision = Precision::fp32;
  ModelConfig config;
  GenerationConfig generation;
  Provenance provenance;
};

/// Renders and reads the JSON description. Reading throws Error(corrupt or unsupported) naming the
/// field; every number is range-checked, so that later sizes cannot overflow.
std::string metadata_to_json(const EngineMetadata& metadata, std::span<const Section> sections);
EngineMetadata metadata_from_json(std::string_view text, const std::string& file,
                                  std::vector<Section>& sections);

/// An engine file opened and checked: header, bounds, alignment and every checksum. Immutable.
class EngineFile {
 public:
  /// Maps `path`, once for all who have it open. Throws Error(not_found, io, corrupt; unsupported
  /// for a newer version).
  static std::shared_ptr<const EngineFile> open(const std::filesystem::path& path);
  /// The same over an image in memory, which `owner` keeps alive; `name` is for messages.
  static std::shared_ptr<const EngineFile> from_memory(std::span<const std::byte> image,
                                                       std::shared_ptr<const void> owner,
                                                       const std::string& name);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return image_.size(); }
  [[nodiscard]] std::uint32_t version() const noexcept { return version_; }
  [[nodiscard]] const EngineMetadata& metadata() const noexcept { return metadata_; }
  [[nodiscard]] std::span<const Section> sections() const noexcept { return sections_; }
  [[nodiscard]] const Section* find(std::string_view name) const noexcept;
  /// The section of this name. Throws Error(corrupt) naming it.
  [[nodiscard]] const Section& section(std::string_view name) const;
  /// The bytes of a section with exactly this layout and shape. Throws Error(corrupt) naming it.
  [[nodiscard]] std::span<const std::byte> tensor(std::string_view name, Layout layout,
                                                  std::span<const std::int64_t> shape) const;
  [[nodiscard]] std::span<const std::byte> bytes(const Section& section) const noexcept {
    return image_.subspan(section.offset, section.size);
  }
  /// The file that it is mapped from; null for an image in memory.
  [[nodiscard]] const std::shared_ptr<const MappedFile>& mapping() const noexcept {
    return mapping_;
  }
  /// The tokenizer's files, from sections called "tokenizer/NAME".
  [[nodiscard]] TokenizerFiles tokenizer_files() const;

 private:
  EngineFile() = default;
  static std::shared_ptr<EngineFile> read(std::span<const std::byte> image,
                                          const std::string& name);

  std::string name_;
  std::uint32_t version_ = 0;
  std::span<const std::byte> image_;
  std::shared_ptr<const MappedFile> mapping_;
  std::shared_ptr<const void> owner_;  // of an image that is not mapped
  EngineMetadata metadata_;
  std::vector<Section> sections_;
};

/// True when the file at `path` starts like an engine file (whatever its version or state).
bool is_engine_file(const std::filesystem::path& path);

/// Where an engine is written to: a file or memory.
class EngineSink {
 public:
  EngineSink() = default;
  EngineSink(const EngineSink&) = delete;
  EngineSink& operator=(const EngineSink&) = delete;
  virtual ~EngineSink() = default;
  virtual void append(std::span<const std::byte> bytes) = 0;
  virtual void overwrite(std::size_t offset, std::span<const std::byte> bytes) = 0;
};

/// Lays sections one after another into a sink, then the description and the header.
class EngineWriter {
 public:
  explicit EngineWriter(EngineSink& sink);
  /// Appends a section. `bytes` must be what layout and shape say. Throws Error(invalid_argument).
  void add(std::string name, Layout layout, std::vector<std::int64_t> shape,
           std::span<const std::byte> bytes);
  /// Writes description and header; nothing may be added afterwards.
  void finish(const EngineMetadata& metadata);

 private:
  void append(std::span<const std::byte> bytes);

  EngineSink& sink_;
  std::uint64_t position_ = 0;
  std::vector<Section> sections_;
};

}  // namespace kobolt
