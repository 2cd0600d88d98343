#include <gtest/gtest.h>

#include <string>

#include "export/onnx/wire_writer.h"

// The wire format, by the examples of its own documentation and by numbers worked out by hand.
namespace kobolt::onnx {
namespace {

using namespace std::string_literals;

TEST(WireWriter, IntegersAreSevenBitsAByte) {
  WireWriter message;
  message.integer(1, 150);
  EXPECT_EQ(message.written(), "\x08\x96\x01");
  WireWriter zero;
  zero.integer(2, 0);
  EXPECT_EQ(zero.written(), "\x10\x00"s);
}

TEST(WireWriter, NegativeIntegersTakeTenBytes) {
  WireWriter message;
  message.integer(1, -2);
  EXPECT_EQ(message.written(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(WireWriter, StringsHaveTheirLengthBefore) {
  WireWriter message;
  message.bytes(2, "testing");
  EXPECT_EQ(message.written(), "\x12\x07testing");
}

TEST(WireWriter, MessagesAreBytes) {
  WireWriter inner;
  inner.integer(1, 150);
  WireWriter outer;
  outer.message(3, inner);
  EXPECT_EQ(outer.written(), "\x1a\x03\x08\x96\x01");
}

TEST(WireWriter, RealsAreLittleEndian) {
  WireWriter message;
  message.real(2, 1.0F);
  EXPECT_EQ(message.written(), "\x15\x00\x00\x80\x3f"s);
}

TEST(WireWriter, FieldsAboveFifteenTakeTwoBytes) {
  WireWriter message;
  message.integer(20, 7);
  EXPECT_EQ(message.written(), "\xa0\x01\x07");
}

}  // namespace
}  // namespace kobolt::onnx
