// Arbitrary bytes as tokenizer.json: an Error, or a tokenizer that encodes and decodes.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/error.h"
#include "kobolt/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view texts[] = {"", "a ab <s>", "안녕 ＡＢ 😀\n 3.14 it's",
                                        "\xff\xe1\x80 x"};
  try {
    const kobolt::Tokenizer tokenizer = kobolt::Tokenizer::load(
        {{"tokenizer.json", std::string(reinterpret_cast<const char*>(data), size)}},
        kobolt::Family::bart);
    for (const std::string_view text : texts) {
      try {
        const std::vector<std::int32_t> ids = tokenizer.encode(text);
        static_cast<void>(tokenizer.decode(ids, false));
      } catch (const kobolt::Error&) {  // a text that this tokenizer cannot spell
      }
    }
    static_cast<void>(tokenizer.decode(std::vector<std::int32_t>{-1, 0, 1, 2, 1 << 30}));
  } catch (const kobolt::Error&) {
  }
  return 0;
}
