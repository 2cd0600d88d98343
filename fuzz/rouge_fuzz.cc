// ROUGE of arbitrary bytes. The first byte picks tokens and stemmer; the rest is a prediction and,
// after the first zero byte, its reference. What must hold for any texts is checked.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "kobolt/evaluate.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const kobolt::Score& score, const kobolt::Score& swapped) {
  require(score.precision >= 0 && score.precision <= 1);
  require(score.recall >= 0 && score.recall <= 1);
  require(score.f >= 0 && score.f <= 1);
  require(score.precision == swapped.recall && score.recall == swapped.precision);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 8192) return 0;
  constexpr std::array kTokens{kobolt::RougeTokens::unicode, kobolt::RougeTokens::ascii,
                               kobolt::RougeTokens::character};
  const kobolt::RougeOptions options{.tokens = kTokens[data[0] % kTokens.size()],
                                     .stemmer = (data[0] & 0x40U) != 0};
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t middle = std::min(bytes.find('\0'), bytes.size());
  const std::string prediction(bytes.substr(0, middle));
  const std::string reference(bytes.substr(std::min(middle + 1, bytes.size())));

  const auto score = kobolt::rouge(prediction, std::span(&reference, 1), options);
  const auto swapped = kobolt::rouge(reference, std::span(&prediction, 1), options);
  check(score.rouge1, swapped.rouge1);
  check(score.rouge2, swapped.rouge2);
  check(score.rougeL, swapped.rougeL);
  // A common subsequence is made of common words.
  require(score.rougeL.f <= score.rouge1.f);
  require(score.rougeLsum.f <= score.rouge1.f);
  const auto self = kobolt::rouge(prediction, std::span(&prediction, 1), options);
  require(self.rouge1.f == 0 ||
          (self.rouge1.f == 1 && self.rougeL.f == 1 && self.rougeLsum.f == 1));
  return 0;
}
