#include "checkpoint/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "checkpoint/refusal.h"
#include "checkpoint/temporary_folder.h"

namespace kobolt {
namespace {

using testing::HasSubstr;

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i));
  return bytes + rest;
}

std::string file_of(const std::string& header, std::size_t data) {
  return with_length(header.size(), header + std::string(data, '\0'));
}

std::map<std::string, Tensor> read(const std::string& bytes) {
  return read_safetensors({"x.safetensors", std::as_bytes(std::span(bytes)), nullptr});
}

Error refused(const std::string& bytes) {
  Error error = refusal([&] { read(bytes); });
  EXPECT_EQ(error.detail().file, "x.safetensors");
  return error;
}

Error refused(const std::string& header, std::size_t data) {
  return refused(file_of(header, data));
}

TEST(Safetensors, ReadsWhatItIsGiven) {
  const auto tensors = read(file_of(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[2,2],"data_offsets":[4,12]},)"
      R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
      R"("none":{"dtype":"I64","shape":[0,3],"data_offsets":[12,12]}} )",
      12));
  ASSERT_EQ(tensors.size(), 3U);
  EXPECT_EQ(tensors.at("a").elements(), 1);
  EXPECT_EQ(tensors.at("b").dtype, DType::f16);
  EXPECT_EQ(tensors.at("b").shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(tensors.at("none").bytes.size(), 0U);
}

TEST(Safetensors, RoundTripsEveryFloatFormat) {
  const TemporaryFolder folder;
  const std::map<std::string, Tensor> tensors = {
      {"odd", Tensor::from_f32({3}, {1.0F, -2.5F, 0.0F})},
      {"next", Tensor::from_f32({2, 2}, {4.0F, 8.0F, -0.5F, 256.0F})},
      {"scalar", Tensor::from_f32({}, {3.0F})},
  };
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    const auto path = folder.path() / "all.safetensors";
    write_safetensors(path, tensors, dtype);
    const auto again = read_safetensors(SourceFile::open(path));
    ASSERT_EQ(again.size(), tensors.size());
    for (const auto& [name, tensor] : tensors) {
      EXPECT_EQ(again.at(name).dtype, dtype);
      EXPECT_EQ(again.at(name).shape, tensor.shape);
      EXPECT_EQ(again.at(name).to_f32(), tensor.to_f32()) << name;
    }
  }
}

TEST(Safetensors, RefusesAHeaderThatIsNotThere) {
  EXPECT_EQ(refused("").kind(), ErrorKind::corrupt);
  EXPECT_EQ(refused("1234567").kind(), ErrorKind::corrupt);
  EXPECT_EQ(refused(with_length(3, "{}")).detail().field, "header length");
  EXPECT_EQ(refused(with_length(~std::uint64_t{0}, "{}")).detail().field, "header length");
  EXPECT_EQ(refused(with_length(std::uint64_t{1} << 63U, "{}")).detail().field, "header length");
  EXPECT_EQ(refused(std::string(64, '\xFF')).detail().field, "header length");
  EXPECT_THAT(refused("[]", 0).what(), HasSubstr("object"));
  EXPECT_THAT(refused("{\"a\": nonsense}", 0).what(), HasSubstr("JSON"));
  EXPECT_THAT(refused(std::string(100'000, '['), 0).what(), HasSubstr("deep"));
}

TEST(Safetensors, RefusesOffsetsThatLie) {
  const auto entry = [](const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  for (const auto& [shape, offsets] : std::initializer_list<std::pair<const char*, const char*>>{
           {"[2]", "[0,16]"},                     // past the end
           {"[2]", "[8,0]"},                      // backwards
           {"[2]", "[-8,0]"},                     // negative
           {"[2]", "[0,8.0]"},                    // not whole
           {"[2]", "[0]"},                        // not a pair
           {"[3]", "[0,8]"},                      // another size
           {"[-2]", "[0,8]"},                     // negative size
           {"[9223372036854775807,2]", "[0,8]"},  // overflows
           {"[4294967296,4294967296]", "[0,0]"},  // overflows to zero
           {"[2]", "[18446744073709551615,7]"},
       }) {
    const Error error = refused(entry(shape, offsets), 8);
    EXPECT_EQ(error.detail().field, "a") << shape << offsets;
    EXPECT_EQ(error.kind(), ErrorKind::corrupt);
  }
}

TEST(Safetensors, RefusesDataThatOverlapsOrLeavesHoles) {
  const auto two = [](const char* first, const char* second) {
    return std::string(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)") + first +
           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}";
  };
  EXPECT_EQ(read(file_of(two("[4,8]", "[0,4]"), 8)).size(), 2U);
  EXPECT_THAT(refused(two("[0,4]", "[2,6]"), 6).what(), HasSubstr("overlaps"));
  EXPECT_THAT(refused(two("[0,4]", "[0,4]"), 4).what(), HasSubstr("overlaps"));
  EXPECT_THAT(refused(two("[0,4]", "[8,12]"), 12).what(), HasSubstr("unused"));
  EXPECT_THAT(refused(two("[0,4]", "[4,8]"), 9).what(), HasSubstr("unused"));
}

TEST(Safetensors, RefusesIncompleteAndUnknownEntries) {
  EXPECT_EQ(refused(R"({"a":{"dtype":"F32","shape":[1]}})", 4).detail().expected, "data_offsets");
  EXPECT_EQ(refused(R"({"a":[1]})", 4).detail().field, "a");
  EXPECT_EQ(refused(R"({"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}})", 4).detail().field,
            "a");
  const Error error = refused(R"({"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})", 4);
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_THAT(error.what(), HasSubstr("F8_E4M3"));
  const std::string one = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  EXPECT_THAT(refused("{" + one + "," + one + "}", 4).what(), HasSubstr("twice"));
}

// Every prefix of a good file is a truncated one.
TEST(Safetensors, RefusesEveryTruncation) {
  const std::string whole = file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  EXPECT_EQ(read(whole).size(), 1U);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(refused(whole.substr(0, length)).kind(), ErrorKind::corrupt) << length;
  }
}

}  // namespace
}  // namespace kobolt
