#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "kobolt/error.h"

namespace kobolt {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* action, int code) {
  const bool missing = code == ENOENT || code == ENOTDIR;
  throw Error(missing ? ErrorKind::not_found : ErrorKind::io,
              std::string(action) + ": " + std::strerror(code), {.file = path.string()});
}

struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

// Large pages begin at multiples of their size. On Arm with pages of 64 KiB they are larger than
// this; there they are used less.
constexpr std::size_t kLargePage = std::size_t{2} << 20U;

/// Fills `bytes` from the start of the file.
void read_all(int file, std::span<std::byte> bytes, const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ::ssize_t count =
        ::pread(file, bytes.data() + done, bytes.size() - done, static_cast<::off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path, "cannot read", errno);
    if (count == 0)
      throw Error(ErrorKind::io, "became shorter while read", {.file = path.string()});
    done += static_cast<std::size_t>(count);
  }
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path, Pages pages) {
  // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.value < 0) fail(path, "cannot open", errno);
  struct stat status {};
  if (::fstat(file.value, &status) != 0) fail(path, "cannot read the size", errno);
  if (!S_ISREG(status.st_mode))
    fail(path, "not a regular file", S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile({}, {}));
  const bool large = pages == Pages::large;
  const std::size_t room = large ? size + kLargePage : size;
  void* address =
      large ? ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            : ::mmap(nullptr, room, PROT_READ, MAP_PRIVATE, file.value, 0);
  if (address == MAP_FAILED) fail(path, "cannot map", errno);
  const std::span region(static_cast<std::byte*>(address), room);
  if (!large) {
    return std::shared_ptr<const MappedFile>(new MappedFile(region, region));
  }
  void* aligned = address;
  std::size_t left = room;
  std::align(kLargePage, size, aligned, left);
  const std::span bytes(static_cast<std::byte*>(aligned), size);
  std::shared_ptr<const MappedFile> mapped(new MappedFile(bytes, region));
  ::madvise(aligned, left, MADV_HUGEPAGE);  // refused by some systems: then pages stay small
  read_all(file.value, bytes, path);
  ::mprotect(address, room, PROT_READ);
  return mapped;
}

MappedFile::~MappedFile() {
  if (!region_.empty()) ::munmap(region_.data(), region_.size());
}

std::string read_text_file(const std::filesystem::path& path, std::size_t limit) {
  const auto file = MappedFile::open(path);
  if (file->bytes().size() > limit) {
    throw Error(ErrorKind::unsupported, "the file is too large to be what it should be",
                {.file = path.string(),
                 .found = std::to_string(file->bytes().size()) + " bytes",
                 .expected = "at most " + std::to_string(limit)});
  }
  const auto bytes = file->bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace kobolt
