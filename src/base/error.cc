#include "kobolt/error.h"

#include <string>
#include <utility>

namespace kobolt {
namespace {

// "file: field: message (found X, expected Y); hint": each part only where it is known.
std::string sentence(const std::string& message, const ErrorDetail& detail) {
  std::string text;
  if (!detail.file.empty()) text += detail.file + ": ";
  if (!detail.field.empty()) text += detail.field + ": ";
  text += message;
  if (!detail.found.empty() || !detail.expected.empty()) {
    text += " (";
    if (!detail.found.empty()) text += "found " + detail.found;
    if (!detail.found.empty() && !detail.expected.empty()) text += ", ";
    if (!detail.expected.empty()) text += "expected " + detail.expected;
    text += ")";
  }
  if (!detail.hint.empty()) text += "; " + detail.hint;
  return text;
}

}  // namespace

Error::Error(ErrorKind kind, const std::string& message, ErrorDetail detail)
    : std::runtime_error(sentence(message, detail)), kind_(kind), detail_(std::move(detail)) {}

}  // namespace kobolt
