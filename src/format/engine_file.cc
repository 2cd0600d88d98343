#include "format/engine_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "base/hash.h"
#include "base/mapped_file.h"
#include "format/header.h"
#include "kernels/kernels.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

[[noreturn]] void corrupt(const std::string& file, const std::string& field,
                          const std::string& message, std::string found = {},
                          std::string expected = {}) {
  throw Error(ErrorKind::corrupt, message,
              {.file = file,
               .field = field,
               .found = std::move(found),
               .expected = std::move(expected),
               .hint = "the file is damaged: compile it again"});
}

EngineHeader read_header(std::span<const std::byte> image, const std::string& file) {
  EngineHeader header;
  if (image.size() < sizeof(header)) {
    corrupt(file, "header", "too short for an engine file", fmt::format("{} bytes", image.size()),
            "at least 64");
  }
  std::memcpy(&header, image.data(), sizeof(header));
  if (header.magic != EngineHeader::kMagic) {
    throw Error(
        ErrorKind::unsupported, "not an engine file",
        {.file = file, .field = "magic", .hint = "engine files are written by `kobolt compile`"});
  }
  if (header.version > kEngineFormatVersion) {
    throw Error(ErrorKind::unsupported, "the file was written by a newer version of Kobolt",
                {.file = file,
                 .field = "format version",
                 .found = std::to_string(header.version),
                 .expected = fmt::format("at most {}", kEngineFormatVersion),
                 .hint = "update Kobolt, or compile the checkpoint again with this one"});
  }
  if (hash64(image.first(offsetof(EngineHeader, header_hash))) != header.header_hash) {
    corrupt(file, "header", "wrong checksum");
  }
  if (header.version == 0 || header.header_size != sizeof(header) || header.reserved != 0) {
    corrupt(file, "header", "impossible values");
  }
  if (header.file_size != image.size()) {
    corrupt(file, "header", "wrong length", fmt::format("{} bytes", image.size()),
            fmt::format("{} bytes", header.file_size));
  }
  if (header.metadata_offset > image.size() ||
      header.metadata_size != image.size() - header.metadata_offset) {
    corrupt(file, "header", "the description lies outside of the file");
  }
  return header;
}

// Sections must follow one another in file order, aligned, with less than one alignment of zeros
// between them: then no two overlap and no byte of the file is unaccounted for.
void check_sections(std::span<const Section> sections, const EngineHeader& header,
                    std::span<const std::byte> image, const std::string& file) {
  std::uint64_t position = sizeof(EngineHeader);
  for (const Section& section : sections) {
    if (section.offset != position || section.size > header.metadata_offset - section.offset) {
      corrupt(file, section.name, "the section is not where it should be",
              fmt::format("offset {}, {} bytes", section.offset, section.size),
              fmt::format("offset {}", position));
    }
    if (!sparse_layout(section.layout) &&
        section.size != section_size(section.layout, section.shape)) {
      corrupt(file, section.name, "the section's length does not match its shape",
              fmt::format("{} bytes", section.size),
              fmt::format("[{}] as {}", fmt::join(section.shape, ", "), name_of(section.layout)));
    }
    const auto bytes = image.subspan(section.offset, section.size);
    if (hash64(bytes) != section.hash) corrupt(file, section.name, "wrong checksum");
    if (const auto problem = check_content(section.layout, section.shape, bytes);
        !problem.empty()) {
      corrupt(file, section.name, std::string("a sparse matrix: ").append(problem));
    }
    position = section.offset + section.size;
    while (position % kSectionAlignment != 0) {
      if (position >= header.metadata_offset || image[position] != std::byte{0}) {
        corrupt(file, section.name, "bad padding after the section");
      }
      ++position;
    }
  }
  if (position != header.metadata_offset) {
    corrupt(file, "sections", "the sections do not fill the file");
  }
}

}  // namespace

std::string_view name_of(Layout layout) {
  switch (layout) {
    case Layout::rows_f32:
      return "rows_f32";
    case Layout::rows_f16:
      return "rows_f16";
    case Layout::rows_bf16:
      return "rows_bf16";
    case Layout::rows_i8:
      return "rows_i8";
    case Layout::panels_f32:
      return "panels16_f32";
    case Layout::panels_f16:
      return "panels16_f16";
    case Layout::panels_bf16:
      return "panels16_bf16";
    case Layout::panels_i8:
      return "panels16_pairs_i8";
    case Layout::panels_i4:
      return "panels16_groups32_i4";
    case Layout::blocks_f32:
      return "blocks16_f32";
    case Layout::blocks_f16:
      return "blocks16_f16";
    case Layout::blocks_bf16:
      return "blocks16_bf16";
    case Layout::blocks_i8:
      return "blocks16_pairs_i8";
    case Layout::values_f32:
      return "values16_f32";
    case Layout::values_f16:
      return "values16_f16";
    case Layout::values_bf16:
      return "values16_bf16";
    case Layout::values_i8:
      return "values16_pairs_i8";
    case Layout::bytes:
      return "bytes";
  }
  return "?";
}

std::optional<SparseLayout> sparse_layout(Layout layout) {
  using kernels::SparseForm;
  switch (layout) {
    case Layout::blocks_f32:
      return SparseLayout{SparseForm::blocks, sizeof(float)};
    case Layout::blocks_f16:
    case Layout::blocks_bf16:
      return SparseLayout{SparseForm::blocks, sizeof(std::uint16_t)};
    case Layout::blocks_i8:
      return SparseLayout{SparseForm::blocks, sizeof(std::int8_t)};
    case Layout::values_f32:
      return SparseLayout{SparseForm::values, sizeof(float)};
    case Layout::values_f16:
    case Layout::values_bf16:
      return SparseLayout{SparseForm::values, sizeof(std::uint16_t)};
    case Layout::values_i8:
      return SparseLayout{SparseForm::values, sizeof(std::int8_t)};
    default:
      return std::nullopt;
  }
}

std::uint64_t section_size(Layout layout, std::span<const std::int64_t> shape) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 40;
  // Extents below 2^31 keep every product of two, times an element, far from overflow.
  std::uint64_t product = 1;
  if (shape.empty() || shape.size() > 2) {
    throw Error(ErrorKind::corrupt, "a section has one or two dimensions",
                {.found = std::to_string(shape.size())});
  }
  for (const std::int64_t extent : shape) {
    const std::int64_t most =
        shape.size() == 1 ? kMostBytes : std::numeric_limits<std::int32_t>::max();
    if (extent < 0 || extent > most) {
      throw Error(ErrorKind::corrupt, "a section's extent is out of range",
                  {.found = std::to_string(extent)});
    }
    product *= static_cast<std::uint64_t>(extent);
  }
  const auto packed = [&shape] {
    if (shape.size() != 2) {
      throw Error(ErrorKind::corrupt, "a packed matrix has two dimensions",
                  {.found = std::to_string(shape.size())});
    }
    return std::pair(static_cast<std::uint64_t>(shape[0] + kernels::kPanel - 1) / kernels::kPanel *
                         kernels::kPanel,
                     static_cast<std::uint64_t>(shape[1]));
  };
  if (const auto sparse = sparse_layout(layout)) {
    packed();
    const auto places =
        kernels::sparse_places(sparse->form, sparse->value_bytes, shape[0], shape[1]);
    return places.values + places.tail;
  }
  switch (layout) {
    case Layout::rows_f32:
      return product * sizeof(float);
    case Layout::rows_f16:
    case Layout::rows_bf16:
      return product * sizeof(std::uint16_t);
    case Layout::rows_i8:
    case Layout::bytes:
      return product;
    case Layout::panels_f32: {
      const auto [rows, columns] = packed();
      return rows * columns * sizeof(float);
    }
    case Layout::panels_f16:
    case Layout::panels_bf16: {
      const auto [rows, columns] = packed();
      return rows * columns * sizeof(std::uint16_t);
    }
    case Layout::panels_i8: {
      const auto [rows, columns] = packed();
      return rows * ((columns + 1) / 2 * 2);
    }
    case Layout::panels_i4: {
      const auto [rows, columns] = packed();
      return rows / kernels::kPanel *
             ((columns + kernels::kGroup4 - 1) / kernels::kGroup4 * kernels::kBlock4);
    }
    default:
      return 0;
  }
}

std::string_view check_content(Layout layout, std::span<const std::int64_t> shape,
                               std::span<const std::byte> bytes) {
  const auto sparse = sparse_layout(layout);
  if (!sparse) return {};
  if (bytes.size() < section_size(layout, shape)) return "too short for its masks";
  return kernels::check_sparse(sparse->form, sparse->value_bytes, shape[0], shape[1], bytes);
}

std::shared_ptr<const EngineFile> EngineFile::open(const std::filesystem::path& path) {
  auto mapping = MappedFile::open_shared(path);
  const auto file = read(mapping->bytes(), path.string());
  file->mapping_ = std::move(mapping);
  return file;
}

std::shared_ptr<const EngineFile> EngineFile::from_memory(std::span<const std::byte> image,
                                                          std::shared_ptr<const void> owner,
                                                          const std::string& name) {
  const auto file = read(image, name);
  file->owner_ = std::move(owner);
  return file;
}

std::shared_ptr<EngineFile> EngineFile::read(std::span<const std::byte> image,
                                             const std::string& name) {
  const EngineHeader header = read_header(image, name);
  const auto description = image.subspan(header.metadata_offset, header.metadata_size);
  if (hash64(description) != header.metadata_hash) corrupt(name, "description", "wrong checksum");
  std::shared_ptr<EngineFile> file(new EngineFile);
  file->name_ = name;
  file->version_ = header.version;
  file->image_ = image;
  file->metadata_ =
      metadata_from_json({reinterpret_cast<const char*>(description.data()), description.size()},
                         name, file->sections_);
  check_sections(file->sections_, header, image, name);
  return file;
}

const Section* EngineFile::find(std::string_view name) const noexcept {
  const auto found = std::find_if(sections_.begin(), sections_.end(),
                                  [name](const Section& s) { return s.name == name; });
  return found == sections_.end() ? nullptr : &*found;
}

const Section& EngineFile::section(std::string_view name) const {
  const Section* section = find(name);
  if (section == nullptr) corrupt(name_, std::string(name), "missing");
  return *section;
}

std::span<const std::byte> EngineFile::tensor(std::string_view name, Layout layout,
                                              std::span<const std::int64_t> shape) const {
  const Section& found = section(name);
  if (found.layout != layout || !std::ranges::equal(found.shape, shape)) {
    corrupt(name_, std::string(name), "wrong shape or layout",
            fmt::format("[{}] as {}", fmt::join(found.shape, ", "), name_of(found.layout)),
            fmt::format("[{}] as {}", fmt::join(shape, ", "), name_of(layout)));
  }
  return bytes(found);
}

TokenizerFiles EngineFile::tokenizer_files() const {
  static constexpr std::string_view kPrefix = "tokenizer/";
  TokenizerFiles files;
  for (const Section& section : sections_) {
    if (!section.name.starts_with(kPrefix)) continue;
    const auto content = bytes(section);
    files.emplace(section.name.substr(kPrefix.size()),
                  std::string(reinterpret_cast<const char*>(content.data()), content.size()));
  }
  return files;
}

bool is_engine_file(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) return false;
  const auto file = MappedFile::open(path);
  const auto& magic = EngineHeader::kMagic;
  return file->bytes().size() >= magic.size() &&
         std::memcmp(file->bytes().data(), magic.data(), magic.size()) == 0;
}

}  // namespace kobolt
