#include "tokenizer/growth.h"

#include <string>

#include "kobolt/error.h"

namespace kobolt::text {

void check_growth(std::size_t before, std::size_t now) {
  constexpr std::size_t most = 256;  // Unicode's own forms make 18 of 1
  constexpr std::size_t always_allowed = std::size_t{1} << 20U;
  if (now <= always_allowed || now / most <= before) return;
  throw Error(ErrorKind::corrupt, "the tokenizer makes the text grow without bound",
              {.file = "tokenizer.json",
               .found = std::to_string(before) + " bytes that became " + std::to_string(now)});
}

}  // namespace kobolt::text
