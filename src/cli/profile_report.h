#pragma once

#include <optional>
#include <string>

#include "cli/output.h"
#include "kobolt/profile.h"

namespace kobolt::cli {

struct ProfileReport {
  std::string model;  ///< as given
  std::string work;   ///< in words
  std::optional<MachineCeilings> ceilings;
  Profile profile;
};

std::string profile_text(const ProfileReport& report, const Summarizer& summarizer);
Json profile_json(const ProfileReport& report, const Summarizer& summarizer);

}  // namespace kobolt::cli
