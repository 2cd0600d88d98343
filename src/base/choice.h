#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "kobolt/error.h"

namespace kobolt {

/// The one of `choices` that name_of() calls `name`. Throws Error(invalid_argument) that says
/// `problem` of `field`, what was found and all names that there are.
template <typename Choice, std::size_t count>
Choice choice_from_name(const std::array<Choice, count>& choices, std::string_view name,
                        const char* problem, const char* field) {
  std::string names;
  for (const Choice choice : choices) {
    if (name == name_of(choice)) return choice;
    names += names.empty() ? "" : ", ";
    names += name_of(choice);
  }
  throw Error(ErrorKind::invalid_argument, problem,
              {.field = field, .found = '"' + std::string(name) + '"', .expected = names});
}

}  // namespace kobolt
