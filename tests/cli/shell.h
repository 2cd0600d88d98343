#pragma once

#include <sys/wait.h>

#include <cstddef>
#include <cstdio>
#include <string>

/// The program as a shell sees it.
namespace kobolt::cli {

struct Result {
  int status = -1;
  std::string text;
};

/// Runs a line of shell; `text` is what it prints.
inline Result run_line(const std::string& line) {
  std::FILE* pipe = ::popen(line.c_str(), "r");
  Result result;
  if (pipe == nullptr) return result;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) {
    result.text.append(buffer, count);
  }
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
  return result;
}

inline Result shell(const std::string& arguments) {
  return run_line(std::string("'") + KOBOLT_PROGRAM + "' " + arguments);
}

/// Standard error only.
inline Result complain(const std::string& arguments) {
  return shell(arguments + " 2>&1 >/dev/null");
}

}  // namespace kobolt::cli
