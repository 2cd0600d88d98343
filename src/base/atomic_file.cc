#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "kobolt/error.h"

namespace kobolt {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* action) {
  const int code = errno;
  throw Error(ErrorKind::io, std::string(action) + ": " + std::strerror(code),
              {.file = path.string()});
}

// Where the file really goes: a link stays a link. Renaming over /dev/null or a pipe would replace
// it, and over a folder fail when all the work is done.
std::filesystem::path checked(std::filesystem::path target) {
  std::error_code error;
  const auto status = std::filesystem::status(target, error);
  if (!std::filesystem::exists(status)) return target;
  if (!std::filesystem::is_regular_file(status)) {
    throw Error(ErrorKind::io, "cannot write",
                {.file = target.string(),
                 .found = std::filesystem::is_directory(status) ? "a folder" : "a device or pipe",
                 .expected = "a file"});
  }
  if (!std::filesystem::is_symlink(target, error)) return target;
  auto resolved = std::filesystem::canonical(target, error);
  return error ? target : resolved;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target) : target_(checked(std::move(target))) {
  std::string name = target_.string() + ".XXXXXX";
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail(target_, "cannot create");
  temporary_ = name;
  // mkostemp makes files private; a finished file gets what the process would give any new one.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write_at(size_, bytes);
  size_ += bytes.size();
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::write_at(std::size_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0) {
      if (errno == EINTR) continue;
      fail(target_, "cannot write");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::size_t>(count);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail(target_, "cannot sync");
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0) fail(target_, "cannot close");
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(target_, "cannot put in place");
  temporary_.clear();
}

void write_file(const std::filesystem::path& target, std::string_view text) {
  AtomicFile file(target);
  file.write(text);
  file.commit();
}

}  // namespace kobolt
