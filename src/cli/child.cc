#include "cli/child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <string>

#include "kobolt/error.h"

namespace kobolt::cli {
namespace {

// Writes all of `text`; a reader that is gone needs nothing.
void send(int descriptor, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t count = ::write(descriptor, text.data() + sent, text.size() - sent);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    sent += static_cast<std::size_t>(count);
  }
}

std::string receive(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

Json outcome_of(const std::function<Json()>& work) {
  try {
    return {{"result", work()}};
  } catch (const std::exception& error) {
    return {{"error", error.what()}};
  }
}

}  // namespace

Json in_child(const std::function<Json()>& work) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw Error(ErrorKind::io, "no pipe to a process of its own");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    send(ends[1], outcome_of(work).dump(-1, ' ', false, Json::error_handler_t::replace));
    std::_Exit(0);  // nothing of the parent's is to be flushed or destroyed twice
  }
  ::close(ends[1]);
  const std::string text = child > 0 ? receive(ends[0]) : std::string();
  ::close(ends[0]);
  if (child < 0) throw Error(ErrorKind::io, "no process of its own could be started");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  Json outcome = Json::parse(text, nullptr, false);
  if (!outcome.is_object()) {
    throw Error(ErrorKind::io, "a process of its own ended before it had measured",
                {.hint = "out of memory, most likely"});
  }
  // The message is whole already: it names file, field and all.
  if (outcome.contains("error")) {
    throw Error(ErrorKind::invalid_argument, outcome["error"].get<std::string>());
  }
  return std::move(outcome["result"]);
}

}  // namespace kobolt::cli
