#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kobolt::onnx {

/// One message in protobuf's wire format (protobuf.dev/programming-guides/encoding), field by
/// field. A message inside another is written first and then put into it.
class WireWriter {
 public:
  void integer(int field, std::int64_t value);
  void real(int field, float value);
  /// A string, bytes, or a message in this format.
  void bytes(int field, std::string_view value);
  void message(int field, const WireWriter& message) { bytes(field, message.out_); }

  [[nodiscard]] const std::string& written() const { return out_; }

 private:
  void varint(std::uint64_t value);
  void tag(int field, int wire_type);

  std::string out_;
};

}  // namespace kobolt::onnx
