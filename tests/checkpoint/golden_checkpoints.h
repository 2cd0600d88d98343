#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace kobolt {

/// The small checkpoints, at least one of each family, that tests/golden/make_checkpoints.py makes.
inline const std::filesystem::path kCheckpoints = KOBOLT_TEST_DATA "/checkpoints";

/// Their names, as values of a parameter.
inline auto every_family() {
  return ::testing::Values("bart", "bart-untied", "mbart", "mbart50", "marian", "marian-separate",
                           "pegasus");
}

inline std::string family_test_name(const ::testing::TestParamInfo<std::string>& test) {
  std::string name = test.param;
  std::erase(name, '-');
  return name;
}

}  // namespace kobolt
