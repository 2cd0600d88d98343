#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <compare>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/large_pages.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* action, int code) {
  const bool missing = code == ENOENT || code == ENOTDIR;
  throw Error(missing ? ErrorKind::not_found : ErrorKind::io,
              std::string(action) + ": " + std::strerror(code), {.file = path.string()});
}

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : value(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(value); }

  const int value;
};

/// Anonymous memory that begins at a large page; unmapped with the object unless released.
class Reservation {
 public:
  /// `bytes` must be whole large pages. Empty if the system refuses.
  Reservation(std::size_t bytes, int protection) {
    const std::size_t room = bytes + kLargePage;
    void* address = ::mmap(nullptr, room, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) return;
    auto* const begin = static_cast<std::byte*>(address);
    void* aligned = address;
    std::size_t left = room;
    std::align(kLargePage, bytes, aligned, left);
    region_ = {static_cast<std::byte*>(aligned), bytes};
    if (room != left) ::munmap(begin, room - left);
    if (left != bytes) ::munmap(region_.data() + bytes, left - bytes);
  }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation() {
    if (!region_.empty()) ::munmap(region_.data(), region_.size());
  }

  [[nodiscard]] std::span<std::byte> region() const noexcept { return region_; }
  std::span<std::byte> release() noexcept { return std::exchange(region_, {}); }

 private:
  std::span<std::byte> region_;
};

constexpr std::size_t whole_large_pages(std::size_t bytes) {
  return (bytes + kLargePage - 1) / kLargePage * kLargePage;
}

/// Puts a copy of the first `size` bytes of `place` (whole large pages) there instead of what is
/// mapped.
bool replace_by_copy(std::span<std::byte> place, std::size_t size) {
#ifdef __linux__
  Reservation copy(place.size(), PROT_READ | PROT_WRITE);
  const std::span<std::byte> bytes = copy.region();
  if (bytes.empty()) return false;
  prefer_large_pages(bytes.data(), bytes.size());
  std::memcpy(bytes.data(), place.data(), size);
  if (::mprotect(bytes.data(), bytes.size(), PROT_READ) != 0) return false;
  // Others wait in their page fault, at most, until the copy is there.
  if (::mremap(bytes.data(), bytes.size(), bytes.size(), MREMAP_MAYMOVE | MREMAP_FIXED,
               place.data()) == MAP_FAILED) {
    return false;
  }
  copy.release();
  return true;
#else
  static_cast<void>(place), static_cast<void>(size);
  return false;
#endif
}

/// What tells one state of one file from another.
struct FileState {
  std::uint64_t device, inode, size;
  std::int64_t seconds, nanoseconds;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a 0 in comparisons that are defaulted
  auto operator<=>(const FileState&) const = default;
};

FileState state_of(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .seconds = status.st_mtim.tv_sec,
          .nanoseconds = status.st_mtim.tv_nsec};
}

int open_file(const std::filesystem::path& path) {
  // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail(path, "cannot open", errno);
  return descriptor;
}

struct stat status_of(int descriptor, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail(path, "cannot read the size", errno);
  if (!S_ISREG(status.st_mode))
    fail(path, "not a regular file", S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
  return status;
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::map(int descriptor, std::size_t size,
                                                  const std::filesystem::path& path) {
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile({}, {}));
  Reservation reservation(whole_large_pages(size), PROT_NONE);
  std::byte* const place = reservation.region().data();
  if (place == nullptr ||
      ::mmap(place, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor, 0) == MAP_FAILED) {
    fail(path, "cannot map", errno);
  }
  const auto region = reservation.release();
  return std::shared_ptr<const MappedFile>(new MappedFile(region.first(size), region));
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const Descriptor file{open_file(path)};
  return map(file.value, static_cast<std::size_t>(status_of(file.value, path).st_size), path);
}

std::shared_ptr<const MappedFile> MappedFile::open_shared(const std::filesystem::path& path) {
  static std::mutex mutex;
  static std::map<FileState, std::weak_ptr<const MappedFile>> files;
  const Descriptor file{open_file(path)};
  const FileState state = state_of(status_of(file.value, path));
  const std::scoped_lock lock(mutex);
  std::erase_if(files, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<const MappedFile>& known = files[state];
  auto shared = known.lock();
  if (!shared) known = shared = map(file.value, state.size, path);
  return shared;
}

bool MappedFile::move_to_large_pages(const std::stop_token& stop) const {
  if (moved_) return true;
  if (moving_.exchange(true)) return false;
  constexpr std::size_t kPiece = 2 * kLargePage;  // that is resident twice for a moment
  std::size_t at = 0;
  for (; at < region_.size() && !stop.stop_requested(); at += kPiece) {
    const auto place = region_.subspan(at, std::min(kPiece, region_.size() - at));
    if (!replace_by_copy(place, std::min(kPiece, bytes_.size() - at))) break;
  }
  moved_ = at >= region_.size();
  moving_ = false;
  return moved_;
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
