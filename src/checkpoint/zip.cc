#include "checkpoint/zip.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "checkpoint/byte_reader.h"

namespace kobolt {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034B50;
constexpr std::uint32_t kCentralSignature = 0x02014B50;
constexpr std::uint32_t kEndSignature = 0x06054B50;
constexpr std::uint32_t kEnd64Signature = 0x06064B50;
constexpr std::uint32_t kLocator64Signature = 0x07064B50;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kLocator64Size = 20;
constexpr std::size_t kLongestComment = 0xFFFF;
constexpr std::uint32_t kInZip64 = 0xFFFFFFFF;
constexpr std::uint16_t kInZip64Short = 0xFFFF;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint16_t kEncrypted = 1;
// Real checkpoints have an entry a tensor and a handful more.
constexpr std::uint64_t kMaxEntries = 1U << 20U;

struct Directory {
  std::uint64_t entries;
  std::uint64_t offset;
};

struct Entry {
  std::string name;
  std::uint16_t flags;
  std::uint16_t method;
  std::uint64_t compressed;
  std::uint64_t size;
  std::uint64_t offset;  ///< of the local header
};

class ZipReader {
 public:
  ZipReader(std::span<const std::byte> archive, const std::string& file)
      : archive_(archive), file_(file) {}

  std::map<std::string, std::span<const std::byte>> read() const {
    const Directory directory = find_directory();
    if (directory.entries > kMaxEntries) {
      fail("", "an absurd number of entries", std::to_string(directory.entries));
    }
    ByteReader reader(archive_, file_);
    reader.seek(directory.offset);
    std::map<std::string, std::span<const std::byte>> entries;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
      const Entry entry = read_entry(reader);
      if (!entries.emplace(entry.name, data_of(entry)).second) {
        fail(entry.name, "the entry appears twice");
      }
    }
    return entries;
  }

 private:
  [[noreturn]] void fail(const std::string& entry, const char* message, std::string found = "",
                         ErrorKind kind = ErrorKind::corrupt) const {
    throw Error(kind, message, {.file = file_, .field = entry, .found = std::move(found)});
  }

  [[nodiscard]] Directory find_directory() const {
    // The end record is last but for a comment of unknown length.
    const std::size_t size = archive_.size();
    const std::size_t first =
        size > kEndSize + kLongestComment ? size - kEndSize - kLongestComment : 0;
    for (std::size_t at = size < kEndSize ? 0 : size - kEndSize + 1; at-- > first;) {
      ByteReader reader(archive_, file_);
      reader.seek(at);
      if (reader.u32() != kEndSignature) continue;
      reader.take(6);  // disk numbers, entries on this disk
      Directory directory{};
      directory.entries = reader.u16();
      reader.take(4);  // size
      directory.offset = reader.u32();
      const bool in_zip64 = directory.entries == kInZip64Short || directory.offset == kInZip64;
      return in_zip64 ? find_directory64(at).value_or(directory) : directory;
    }
    fail("", "the zip archive has no directory: the file is truncated");
  }

  [[nodiscard]] std::optional<Directory> find_directory64(std::size_t end_record) const {
    if (end_record < kLocator64Size) return std::nullopt;
    ByteReader reader(archive_, file_);
    reader.seek(end_record - kLocator64Size);
    if (reader.u32() != kLocator64Signature) return std::nullopt;
    reader.take(4);  // disk number
    reader.seek(reader.u64());
    if (reader.u32() != kEnd64Signature) fail("", "the zip64 directory is not where it should be");
    reader.take(8 + 2 + 2 + 4 + 4 + 8);  // size, versions, disk numbers, entries on this disk
    Directory directory{};
    directory.entries = reader.u64();
    reader.take(8);  // size
    directory.offset = reader.u64();
    return directory;
  }

  Entry read_entry(ByteReader& reader) const {
    if (reader.u32() != kCentralSignature) fail("", "the zip directory is damaged");
    Entry entry{};
    reader.take(4);  // versions
    entry.flags = reader.u16();
    entry.method = reader.u16();
    reader.take(8);  // time, date, checksum
    entry.compressed = reader.u32();
    entry.size = reader.u32();
    const std::uint16_t name_length = reader.u16();
    const std::uint16_t extra_length = reader.u16();
    const std::uint16_t comment_length = reader.u16();
    reader.take(8);  // disk number, attributes
    entry.offset = reader.u32();
    entry.name = reader.text(name_length);
    read_zip64_extra(reader.take(extra_length), entry);
    reader.take(comment_length);
    return entry;
  }

  // Holds, in this order, those of the sizes and the offset that did not fit the entry itself.
  void read_zip64_extra(std::span<const std::byte> extra, Entry& entry) const {
    ByteReader reader(extra, file_);
    while (reader.remaining() >= 4) {
      const std::uint16_t tag = reader.u16();
      ByteReader field(reader.take(reader.u16()), file_);
      if (tag != kZip64Extra) continue;
      if (entry.size == kInZip64) entry.size = field.u64();
      if (entry.compressed == kInZip64) entry.compressed = field.u64();
      if (entry.offset == kInZip64) entry.offset = field.u64();
    }
  }

  [[nodiscard]] std::span<const std::byte> data_of(const Entry& entry) const {
    if ((entry.flags & kEncrypted) != 0) {
      fail(entry.name, "the entry is encrypted", "", ErrorKind::unsupported);
    }
    if (entry.method != 0) {
      fail(entry.name, "the entry is compressed, which torch.save never does",
           "method " + std::to_string(entry.method), ErrorKind::unsupported);
    }
    if (entry.compressed != entry.size) {
      fail(entry.name, "a stored entry with two different sizes",
           std::to_string(entry.compressed) + " and " + std::to_string(entry.size));
    }
    ByteReader reader(archive_, file_);
    reader.seek(entry.offset);
    if (reader.u32() != kLocalSignature) fail(entry.name, "the entry is not where it should be");
    reader.take(22);  // repeats the directory
    const std::uint16_t name_length = reader.u16();
    const std::uint16_t extra_length = reader.u16();
    if (reader.text(name_length) != entry.name) {
      fail(entry.name, "the entry has another name in its own header");
    }
    reader.take(extra_length);
    return reader.take(entry.size);
  }

  std::span<const std::byte> archive_;
  const std::string& file_;
};

}  // namespace

std::map<std::string, std::span<const std::byte>> read_zip(std::span<const std::byte> archive,
                                                           const std::string& file) {
  return ZipReader(archive, file).read();
}

bool looks_like_zip(std::span<const std::byte> bytes) {
  constexpr std::string_view kMagic("PK\x03\x04", 4);
  return bytes.size() >= kMagic.size() &&
         std::equal(kMagic.begin(), kMagic.end(), bytes.begin(),
                    [](char c, std::byte b) { return static_cast<std::byte>(c) == b; });
}

}  // namespace kobolt
