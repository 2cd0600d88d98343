#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

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

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.value < 0) fail(path, "cannot open", errno);
  struct stat status {};
  if (::fstat(file.value, &status) != 0) fail(path, "cannot read the size", errno);
  if (!S_ISREG(status.st_mode))
    fail(path, "not a regular file", S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile({}));
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
  if (address == MAP_FAILED) fail(path, "cannot map", errno);
  return std::shared_ptr<const MappedFile>(
      new MappedFile({static_cast<const std::byte*>(address), size}));
}

MappedFile::~MappedFile() {
  // munmap's signature predates const; the pages themselves are never written.
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
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
