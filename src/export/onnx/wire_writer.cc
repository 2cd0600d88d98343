#include "export/onnx/wire_writer.h"

#include <bit>

namespace kobolt::onnx {
namespace {

// Wire types.
constexpr int kVarint = 0;
constexpr int kLength = 2;  // a length and as many bytes
constexpr int kFixed32 = 5;

}  // namespace

void WireWriter::varint(std::uint64_t value) {
  // Seven bits a byte, the lowest first; the top bit says that more follow.
  constexpr std::uint64_t kMore = 0x80;
  while (value >= kMore) {
    out_ += static_cast<char>((value & (kMore - 1)) | kMore);
    value >>= 7U;
  }
  out_ += static_cast<char>(value);
}

void WireWriter::tag(int field, int wire_type) {
  varint(static_cast<std::uint64_t>(field) << 3U | static_cast<std::uint64_t>(wire_type));
}

void WireWriter::integer(int field, std::int64_t value) {
  tag(field, kVarint);
  varint(static_cast<std::uint64_t>(value));
}

void WireWriter::real(int field, float value) {
  tag(field, kFixed32);
  auto bits = std::bit_cast<std::uint32_t>(value);
  for (int i = 0; i < 4; ++i, bits >>= 8U) out_ += static_cast<char>(bits & 0xFFU);
}

void WireWriter::bytes(int field, std::string_view value) {
  tag(field, kLength);
  varint(value.size());
  out_ += value;
}

}  // namespace kobolt::onnx
