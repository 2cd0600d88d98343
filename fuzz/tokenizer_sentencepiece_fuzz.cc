// Arbitrary bytes as a SentencePiece model, in the place of Pegasus' spiece.model.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kobolt/error.h"
#include "kobolt/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const kobolt::Tokenizer tokenizer = kobolt::Tokenizer::load(
        {{"spiece.model", std::string(reinterpret_cast<const char*>(data), size)}},
        kobolt::Family::pegasus);
    const std::vector<std::int32_t> ids = tokenizer.encode("The ＡＢＣ 안녕\n fox \xff.");
    static_cast<void>(tokenizer.decode(ids, false));
  } catch (const kobolt::Error&) {
  }
  return 0;
}
