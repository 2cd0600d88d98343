#include "evaluate/porter_stemmer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace kobolt {
namespace {

bool is_vowel_letter(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }

// A y is a consonant at the start and after a vowel; a run of y alternates.
bool is_consonant(std::string_view word, std::size_t i) {
  if (word[i] != 'y') return !is_vowel_letter(word[i]);
  bool negated = false;
  while (i > 0 && word[i] == 'y') {
    negated = !negated;
    --i;
  }
  return !is_vowel_letter(word[i]) != negated;
}

// Calls `visit(is_consonant)` for each letter, in one pass.
template <typename Visit>
void for_each_kind(std::string_view stem, Visit visit) {
  bool before = false;  // a y at the start is a consonant, as after a vowel
  for (const char c : stem) {
    before = c == 'y' ? !before : !is_vowel_letter(c);
    visit(before);
  }
}

// Porter's m: how often a vowel is followed by a consonant.
int measure(std::string_view stem) {
  int count = 0;
  bool after_vowel = false;
  for_each_kind(stem, [&](bool consonant) {
    if (consonant && after_vowel) ++count;
    after_vowel = !consonant;
  });
  return count;
}

bool contains_vowel(std::string_view stem) {
  bool found = false;
  for_each_kind(stem, [&](bool consonant) { found = found || !consonant; });
  return found;
}

bool ends_double_consonant(std::string_view word) {
  const std::size_t n = word.size();
  return n >= 2 && word[n - 1] == word[n - 2] && is_consonant(word, n - 1);
}

// Porter's *o; NLTK counts two letters, vowel and consonant, as well.
bool ends_cvc(std::string_view word) {
  const std::size_t n = word.size();
  if (n == 2) return !is_consonant(word, 0) && is_consonant(word, 1);
  if (n < 3) return false;
  const char last = word[n - 1];
  return is_consonant(word, n - 3) && !is_consonant(word, n - 2) && is_consonant(word, n - 1) &&
         last != 'w' && last != 'x' && last != 'y';
}

struct Rule {
  std::string_view suffix;
  std::string_view replacement;
};

std::string_view without(std::string_view word, std::string_view suffix) {
  return word.substr(0, word.size() - suffix.size());
}

// Applies the first rule whose suffix fits, if the stem before it has a measure of at least
// `least`; a suffix that fits ends the search either way.
void apply(std::string& word, std::span<const Rule> rules, int least) {
  for (const Rule& rule : rules) {
    if (!word.ends_with(rule.suffix)) continue;
    if (measure(without(word, rule.suffix)) >= least) {
      word.replace(word.size() - rule.suffix.size(), rule.suffix.size(), rule.replacement);
    }
    return;
  }
}

// Plurals.
void step1a(std::string& word) {
  static constexpr std::array kRules{Rule{"sses", "ss"}, Rule{"ies", "i"}, Rule{"ss", "ss"},
                                     Rule{"s", ""}};
  if (word.size() == 4 && word.ends_with("ies")) {
    word.pop_back();
    return;
  }
  apply(word, kRules, 0);
}

// Repairs what is left when -ed or -ing went.
void restore_ending(std::string& word) {
  if (word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz")) {
    word += 'e';
    return;
  }
  const char last = word.back();
  if (ends_double_consonant(word)) {
    if (last != 'l' && last != 's' && last != 'z') word.pop_back();
    return;
  }
  if (measure(word) == 1 && ends_cvc(word)) word += 'e';
}

// Past tenses and participles.
void step1b(std::string& word) {
  if (word.ends_with("ied")) {
    word.resize(word.size() - (word.size() == 4 ? 1 : 2));
    return;
  }
  if (word.ends_with("eed")) {
    if (measure(without(word, "eed")) > 0) word.pop_back();
    return;
  }
  for (const std::string_view suffix : {"ed", "ing"}) {
    if (!word.ends_with(suffix) || !contains_vowel(without(word, suffix))) continue;
    word.resize(word.size() - suffix.size());
    restore_ending(word);
    return;
  }
}

void step1c(std::string& word) {
  if (!word.ends_with('y') || word.size() < 3) return;
  if (is_consonant(word, word.size() - 2)) word.back() = 'i';
}

// Double suffixes.
void step2(std::string& word) {
  static constexpr std::array kRules{
      Rule{"ational", "ate"}, Rule{"tional", "tion"}, Rule{"enci", "ence"},
      Rule{"anci", "ance"},   Rule{"izer", "ize"},    Rule{"bli", "ble"},
      Rule{"alli", "al"},     Rule{"entli", "ent"},   Rule{"eli", "e"},
      Rule{"ousli", "ous"},   Rule{"ization", "ize"}, Rule{"ation", "ate"},
      Rule{"ator", "ate"},    Rule{"alism", "al"},    Rule{"iveness", "ive"},
      Rule{"fulness", "ful"}, Rule{"ousness", "ous"}, Rule{"aliti", "al"},
      Rule{"iviti", "ive"},   Rule{"biliti", "ble"},  Rule{"fulli", "ful"}};
  // "-alli" becomes "-al", which may end in a suffix of this step again.
  while (word.ends_with("alli") && measure(without(word, "alli")) > 0) word.resize(word.size() - 2);
  if (word.ends_with("logi")) {
    // The l belongs to the stem here, so that "geologi" has one long enough.
    if (measure(without(word, "ogi")) > 0) word.pop_back();
    return;
  }
  apply(word, kRules, 1);
}

void step3(std::string& word) {
  static constexpr std::array kRules{Rule{"icate", "ic"}, Rule{"ative", ""},  Rule{"alize", "al"},
                                     Rule{"iciti", "ic"}, Rule{"ical", "ic"}, Rule{"ful", ""},
                                     Rule{"ness", ""}};
  apply(word, kRules, 1);
}

void step4(std::string& word) {
  static constexpr std::array kRules{
      Rule{"al", ""},   Rule{"ance", ""}, Rule{"ence", ""}, Rule{"er", ""},    Rule{"ic", ""},
      Rule{"able", ""}, Rule{"ible", ""}, Rule{"ant", ""},  Rule{"ement", ""}, Rule{"ment", ""},
      Rule{"ent", ""},  Rule{"ou", ""},   Rule{"ism", ""},  Rule{"ate", ""},   Rule{"iti", ""},
      Rule{"ous", ""},  Rule{"ive", ""},  Rule{"ize", ""}};
  if (word.ends_with("ion")) {
    const std::string_view stem = without(word, "ion");
    if (measure(stem) > 1 && (stem.back() == 's' || stem.back() == 't')) word.resize(stem.size());
    return;
  }
  apply(word, kRules, 2);
}

void step5(std::string& word) {
  if (word.ends_with('e')) {
    const std::string_view stem = without(word, "e");
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_cvc(stem))) word.pop_back();
  }
  if (word.ends_with("ll") && measure(without(word, "l")) > 1) word.pop_back();
}

std::string_view irregular(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kForms{{
      {"sky", "sky"},
      {"skies", "sky"},
      {"dying", "die"},
      {"lying", "lie"},
      {"tying", "tie"},
      {"news", "news"},
      {"innings", "inning"},
      {"inning", "inning"},
      {"outings", "outing"},
      {"outing", "outing"},
      {"cannings", "canning"},
      {"canning", "canning"},
      {"howe", "howe"},
      {"proceed", "proceed"},
      {"exceed", "exceed"},
      {"succeed", "succeed"},
  }};
  const auto form = std::find_if(kForms.begin(), kForms.end(),
                                 [&](const auto& entry) { return entry.first == word; });
  return form == kForms.end() ? std::string_view() : form->second;
}

}  // namespace

std::string porter_stem(std::string word) {
  if (const auto form = irregular(word); !form.empty()) return std::string(form);
  if (word.size() <= 2) return word;
  step1a(word);
  step1b(word);
  step1c(word);
  step2(word);
  step3(word);
  step4(word);
  step5(word);
  return word;
}

}  // namespace kobolt
