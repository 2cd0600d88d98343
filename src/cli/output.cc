#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "kobolt/error.h"

namespace kobolt::cli {
namespace {

[[noreturn]] void fail() {
  const int code = errno;
  if (code == EPIPE) throw ClosedPipe();
  throw Error(ErrorKind::io, std::string("cannot write: ") + std::strerror(code),
              {.file = "standard output"});
}

}  // namespace

void guard_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // Opened the wrong way round, so that reading or writing it still fails. The lowest free number
    // is the one that is missing.
    const int flags = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", flags) != descriptor) continue;
  }
}

void write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail();
}

void flush() {
  if (std::fflush(stdout) != 0) fail();
}

void say(std::string_view kind, std::string_view message) {
  std::string line = fmt::format("kobolt: {}: {}", kind, message);
  std::replace(line.begin(), line.end(), '\n', ' ');
  line += '\n';
  // When standard error itself fails there is nobody left to tell.
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

void print_json(const Json& value) {
  write(value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void print_json_line(const Json& value) {
  write(value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace kobolt::cli
