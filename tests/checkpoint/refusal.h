#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "kobolt/error.h"

namespace kobolt {

/// The Error that `action` throws; a failed test where it throws none.
template <typename Action>
Error refusal(const Action& action) {
  std::optional<Error> thrown;
  try {
    action();
  } catch (const Error& error) {
    thrown = error;
  }
  if (thrown) return *thrown;
  ADD_FAILURE() << "nothing was refused";
  return {ErrorKind::io, "nothing was refused"};
}

}  // namespace kobolt
