#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/aligned.h"
#include "base/hash.h"
#include "format/engine_file.h"
#include "format/header.h"
#include "kobolt/error.h"
#include "runtime/weights.h"

namespace {

using kobolt::AlignedVector;
using kobolt::EngineHeader;

// Opens an image and binds its weights, as running it would.
void open(const AlignedVector<std::byte>& image) {
  try {
    (void)kobolt::EngineWeights::bind(kobolt::EngineFile::from_memory(image, nullptr, "fuzz"));
  } catch (const kobolt::Error&) {
    // What a damaged file is expected to give.
  }
}

// Random changes would all stop at the checksums. So the input is also taken as a description with
// a body of zeros, and gets a header whose checksums are right.
AlignedVector<std::byte> with_valid_header(std::span<const std::byte> description,
                                           std::size_t body) {
  EngineHeader header;
  header.version = kobolt::kEngineFormatVersion;
  header.metadata_offset = sizeof(header) + body;
  header.metadata_size = description.size();
  header.metadata_hash = kobolt::hash64(description);
  header.file_size = header.metadata_offset + description.size();
  AlignedVector<std::byte> image(header.file_size);
  std::memset(image.data(), 0, image.size());
  std::memcpy(image.data(), &header, sizeof(header));
  header.header_hash = kobolt::hash64(std::span(image).first(offsetof(EngineHeader, header_hash)));
  std::memcpy(image.data(), &header, sizeof(header));
  if (!description.empty()) {
    std::memcpy(image.data() + header.metadata_offset, description.data(), description.size());
  }
  return image;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  open(AlignedVector<std::byte>(bytes.begin(), bytes.end()));
  for (const std::size_t body : {std::size_t{0}, std::size_t{128}}) {
    open(with_valid_header(bytes, body));
  }
  return 0;
}
