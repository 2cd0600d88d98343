#pragma once

#include <string>

namespace kobolt {

/// Stem of a word in [a-z0-9]+, by the Porter algorithm with the extensions that NLTK makes by
/// default (irregular forms, "ies"/"ied" in short words, y -> i after consonants, "fulli", "logi"):
/// what rouge-score applies. Porter, "An algorithm for suffix stripping", Program 14(3), 1980.
std::string porter_stem(std::string word);

}  // namespace kobolt
