#include "cli/own_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "kobolt/error.h"

namespace kobolt::cli {
namespace {

constexpr const char* kProgram = "/proc/self/exe";

constexpr std::string_view kComplaint = "kobolt: error: ";

[[noreturn]] void fail(const std::vector<std::string>& arguments, const std::string& why) {
  throw Error(ErrorKind::io, "this program could not be run once more",
              {.field = fmt::format("kobolt {}", fmt::join(arguments, " ")), .found = why});
}

/// Both ends of a pipe, closed with the object.
class Pipe {
 public:
  bool open() { return ::pipe2(ends_.data(), O_CLOEXEC) == 0; }
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close(0);
    close(1);
  }
  [[nodiscard]] int end(std::size_t which) const { return ends_[which]; }
  void close(std::size_t which) {
    if (ends_[which] >= 0) ::close(ends_[which]);
    ends_[which] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

/// Where the other process writes its errors: a file in memory, which no one else sees.
class ErrorOutput {
 public:
  ErrorOutput() : descriptor_(::memfd_create("errors", MFD_CLOEXEC)) {}
  ErrorOutput(const ErrorOutput&) = delete;
  ErrorOutput& operator=(const ErrorOutput&) = delete;
  ~ErrorOutput() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  /// Where there is no such file, errors go where this process's go.
  [[nodiscard]] int descriptor() const { return descriptor_ >= 0 ? descriptor_ : STDERR_FILENO; }
  [[nodiscard]] std::string text() const {
    if (descriptor_ < 0 || ::lseek(descriptor_, 0, SEEK_SET) != 0) return {};
    return read_all(descriptor_);
  }

 private:
  int descriptor_;
};

}  // namespace

std::string run_own_program(const std::vector<std::string>& arguments) {
  Pipe pipe;
  if (!pipe.open()) fail(arguments, std::system_category().message(errno));
  std::vector<std::string> all = {"kobolt"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(all.size() + 1);
  for (std::string& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);

  const ErrorOutput errors;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe.end(1), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, errors.descriptor(), STDERR_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, kProgram, &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(arguments, std::system_category().message(error));

  pipe.close(1);
  std::string text = read_all(pipe.end(0));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    // What it complained of is whole already: it names file, field and all.
    std::string complaint = errors.text();
    if (complaint.starts_with(kComplaint)) {
      complaint.erase(0, kComplaint.size());
      throw Error(ErrorKind::io, complaint.substr(0, complaint.find('\n')));
    }
    fail(arguments, WIFEXITED(status) ? fmt::format("exit status {}", WEXITSTATUS(status))
                                      : fmt::format("signal {}", WTERMSIG(status)));
  }
  return text;
}

std::vector<std::string> shared_arguments(const CLI::App& command, const CLI::App& other,
                                          const std::vector<std::string>& without) {
  std::vector<std::string> arguments;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_lnames().empty() || option->count() == 0) continue;
    const std::string name = "--" + option->get_lnames().front();
    if (other.get_option_no_throw(name) == nullptr) continue;
    if (std::ranges::find(without, name) != without.end()) continue;
    for (const std::string& value : option->results()) {
      arguments.push_back(fmt::format("{}={}", name, value));
    }
  }
  return arguments;
}

}  // namespace kobolt::cli
