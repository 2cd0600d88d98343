// Data sets of every format from arbitrary bytes: examples or kobolt::Error, nothing else.
// The first byte picks the format: l JSON lines, j JSON list, c CSV, t TSV, anything else text.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "evaluate/dataset.h"
#include "kobolt/error.h"

namespace {

kobolt::DatasetFormat format_of(char letter) {
  switch (letter) {
    case 'l':
      return kobolt::DatasetFormat::json_lines;
    case 'j':
      return kobolt::DatasetFormat::json_list;
    case 'c':
      return kobolt::DatasetFormat::csv;
    case 't':
      return kobolt::DatasetFormat::tsv;
    default:
      return kobolt::DatasetFormat::text;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool need_references : {false, true}) {
    try {
      const auto examples = kobolt::parse_dataset(bytes.substr(1), format_of(bytes[0]), "fuzz",
                                                  {.need_references = need_references});
      if (examples.empty()) std::abort();
      for (const auto& example : examples) {
        if (need_references && example.references.empty()) std::abort();
      }
    } catch (const kobolt::Error&) {
      // What a broken file is meant to give.
    }
  }
  return 0;
}
