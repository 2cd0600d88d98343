#pragma once

#include <stdexcept>
#include <string>

#include "kobolt/export.h"

namespace kobolt {

/// What went wrong, for callers that react; the message is for people.
enum class ErrorKind {
  invalid_argument,  ///< a value or option that the caller gave
  not_found,         ///< a file, tensor or component that does not exist
  io,                ///< the operating system refused: permission, no space, ...
  corrupt,           ///< a file that contradicts itself, is truncated or fails its checksum
  unsupported,       ///< well formed, but not something that Kobolt can do
};

/// Where it went wrong. Fields that do not apply stay empty.
struct ErrorDetail {
  std::string file;      ///< path as the caller gave it
  std::string field;     ///< key, tensor, option or line inside the file
  std::string found;     ///< what was there
  std::string expected;  ///< what should have been there
  std::string hint;      ///< what to do about it
};

/// The one exception type at the edge of the API. what() is a complete sentence that names the
/// file, the field, what was found and what to do.
class KOBOLT_API Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message, ErrorDetail detail = {});

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  [[nodiscard]] const ErrorDetail& detail() const noexcept { return detail_; }

 private:
  ErrorKind kind_;
  ErrorDetail detail_;
};

}  // namespace kobolt
