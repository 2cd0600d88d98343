#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "evaluate/dataset.h"
#include "kobolt/error.h"

namespace kobolt {

/// The error that parsing gives; fails the test when there is none.
inline Error dataset_error(std::string_view bytes, DatasetFormat format,
                           const DatasetOptions& options = {}) {
  try {
    (void)parse_dataset(bytes, format, "data", options);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error for " << bytes.substr(0, 80);
  return {ErrorKind::io, "none"};
}

inline std::vector<Example> parsed(std::string_view bytes, DatasetFormat format,
                                   const DatasetOptions& options = {}) {
  return parse_dataset(bytes, format, "data", options);
}

}  // namespace kobolt
