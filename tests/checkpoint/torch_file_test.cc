#include "checkpoint/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "checkpoint/pickle.h"
#include "checkpoint/refusal.h"

namespace kobolt {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace std::string_literals;

const std::filesystem::path kFiles = KOBOLT_TEST_DATA "/checkpoint/torch";

std::map<std::string, Tensor> read_golden(const std::string& name) {
  return read_torch_file(SourceFile::open(kFiles / name));
}

Error golden_refused(const std::string& name) {
  Error error = refusal([&] { read_golden(name); });
  EXPECT_EQ(error.detail().file, (kFiles / name).string());
  return error;
}

std::vector<float> count(std::size_t size) {
  std::vector<float> values(size);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

void expect_views(const std::map<std::string, Tensor>& tensors) {
  using Shape = std::vector<std::int64_t>;
  ASSERT_EQ(tensors.size(), 7U);
  EXPECT_EQ(tensors.at("base").shape, (Shape{4, 6}));
  EXPECT_EQ(tensors.at("base").to_f32(), count(24));
  EXPECT_EQ(tensors.at("row").to_f32(), (std::vector<float>{12, 13, 14, 15, 16, 17}));
  EXPECT_EQ(tensors.at("corner").shape, (Shape{2, 3}));
  EXPECT_EQ(tensors.at("corner").to_f32(), (std::vector<float>{8, 9, 10, 14, 15, 16}));
  EXPECT_EQ(tensors.at("every_other").to_f32(),
            (std::vector<float>{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22}));
  EXPECT_EQ(tensors.at("parameter").to_f32(), count(3));
  const auto transposed = tensors.at("transposed").to_f32();
  EXPECT_EQ(tensors.at("transposed").shape, (Shape{6, 4}));
  EXPECT_EQ(transposed[0 * 4 + 1], 6.0F);
  EXPECT_EQ(transposed[5 * 4 + 3], 23.0F);
  const auto permuted = tensors.at("permuted").to_f32();  // from [2, 3, 4] to [4, 2, 3]
  EXPECT_EQ(tensors.at("permuted").shape, (Shape{4, 2, 3}));
  EXPECT_EQ(permuted[(2 * 2 + 1) * 3 + 2], 1 * 12 + 2 * 4 + 2.0F);
}

TEST(TorchFile, ReadsEveryElementType) {
  const auto tensors = read_golden("dtypes.bin");
  ASSERT_EQ(tensors.size(), 7U);
  for (const auto& [name, dtype] :
       std::initializer_list<std::pair<const char*, DType>>{{"float32", DType::f32},
                                                            {"float16", DType::f16},
                                                            {"bfloat16", DType::bf16},
                                                            {"float64", DType::f64}}) {
    EXPECT_EQ(tensors.at(name).dtype, dtype);
    EXPECT_EQ(tensors.at(name).to_f32(), count(6)) << name;
  }
  EXPECT_EQ(tensors.at("int64").dtype, DType::i64);
  EXPECT_TRUE(tensors.at("scalar").shape.empty());
  EXPECT_EQ(tensors.at("scalar").to_f32(), std::vector<float>{5.0F});
  EXPECT_EQ(tensors.at("empty").elements(), 0);
}

TEST(TorchFile, ReadsViewsParametersAndSharedStorages) { expect_views(read_golden("views.bin")); }
TEST(TorchFile, ReadsTheFormBeforeZip) { expect_views(read_golden("views-legacy.bin")); }
TEST(TorchFile, ReadsZip64) { expect_views(read_golden("zip64.bin")); }

TEST(TorchFile, BorrowsContiguousTensorsFromTheFile) {
  const auto file = SourceFile::open(kFiles / "views.bin");
  const auto tensors = read_torch_file(file);
  const auto inside = [&](const Tensor& tensor) {
    return tensor.bytes.data() >= file.bytes.data() &&
           tensor.bytes.data() < file.bytes.data() + file.bytes.size();
  };
  EXPECT_TRUE(inside(tensors.at("base")));
  EXPECT_TRUE(inside(tensors.at("row")));
  EXPECT_FALSE(inside(tensors.at("transposed")));
}

TEST(TorchFile, ReadsAModulesStateDict) {
  const auto tensors = read_golden("module.bin");
  ASSERT_EQ(tensors.size(), 4U);
  EXPECT_EQ(tensors.at("1.weight").to_f32(), (std::vector<float>{1, 1}));
}

TEST(TorchFile, RefusesWhatIsNoStateDict) {
  const Error training = golden_refused("training.bin");
  EXPECT_EQ(training.kind(), ErrorKind::unsupported);
  EXPECT_THAT(training.what(), AllOf(HasSubstr("state_dict"), HasSubstr("a dict")));
  EXPECT_THAT(golden_refused("list.bin").what(), HasSubstr("a list"));
  EXPECT_THAT(golden_refused("torchscript.bin").what(), HasSubstr("TorchScript"));
  EXPECT_EQ(golden_refused("expanded.bin").detail().field, "expanded");
}

TEST(TorchFile, RefusesArchivesThatLie) {
  EXPECT_THAT(golden_refused("compressed.bin").what(), HasSubstr("compressed"));
  EXPECT_THAT(golden_refused("big-endian.bin").what(), HasSubstr("big"));
  EXPECT_THAT(golden_refused("short-record.bin").what(), HasSubstr("size of its storage"));
}

// The file names what the pickle would have called, and nothing has been called.
TEST(TorchFile, RefusesCodeByName) {
  const std::filesystem::path trace = "/tmp/kobolt-was-here";
  EXPECT_THAT(golden_refused("attack-system.bin").what(), HasSubstr("posix.system"));
  EXPECT_FALSE(std::filesystem::exists(trace));
  EXPECT_THAT(golden_refused("attack-eval.bin").what(), HasSubstr("__builtin__.eval"));
  EXPECT_THAT(golden_refused("attack-import.bin").what(), HasSubstr("__builtin__.__import__"));
  EXPECT_THAT(golden_refused("attack-getattr.bin").what(), HasSubstr("__builtin__.getattr"));
  EXPECT_THAT(golden_refused("attack-bytes.bin").what(), HasSubstr("_codecs.encode"));
  EXPECT_THAT(golden_refused("attack-set.bin").what(), HasSubstr("__builtin__.set"));
  EXPECT_THAT(golden_refused("whole-module.bin").what(),
              HasSubstr("torch.nn.modules.linear.Linear"));
  EXPECT_THAT(golden_refused("dtype-value.bin").what(), HasSubstr("torch.float32"));
  EXPECT_THAT(golden_refused("attack-protocol-4.bin").what(), HasSubstr("protocol"));
  EXPECT_THAT(golden_refused("attack-cycle.bin").what(), HasSubstr("no tensor"));
  EXPECT_THAT(golden_refused("attack-shared-lists.bin").what(), HasSubstr("a list"));
}

TEST(TorchFile, RefusesEveryTruncation) {
  for (const char* name : {"views.bin", "views-legacy.bin", "zip64.bin"}) {
    const auto whole = SourceFile::open(kFiles / name);
    for (std::size_t length = 0; length < whole.bytes.size(); ++length) {
      // A copy of its own, so that a sanitizer sees a byte read past the end.
      const std::vector<std::byte> part(whole.bytes.begin(),
                                        whole.bytes.begin() + static_cast<std::ptrdiff_t>(length));
      Error error = refusal([&] { read_torch_file({name, part, nullptr}); });
      ASSERT_NE(error.kind(), ErrorKind::io) << name << " cut at " << length;
    }
  }
}

// Any byte changed: refused or read, but nothing worse (the sanitizers watch).
TEST(TorchFile, SurvivesEveryChangedByte) {
  for (const char* name : {"views.bin", "views-legacy.bin", "zip64.bin"}) {
    const auto file = SourceFile::open(kFiles / name);
    std::vector<std::byte> bytes(file.bytes.begin(), file.bytes.end());
    int refusals = 0;
    for (std::byte& byte : bytes) {
      byte ^= std::byte{0xFF};
      try {
        for (const auto& [key, tensor] : read_torch_file({name, bytes, nullptr})) {
          if (tensor.dtype == DType::f32) (void)tensor.to_f32();
        }
      } catch (const Error&) {
        ++refusals;
      }
      byte ^= std::byte{0xFF};
    }
    EXPECT_GT(refusals, 100) << name;
  }
}

Pickle read_text(const std::string& text) {
  return read_pickle(std::as_bytes(std::span<const char>(text)), "p");
}

TEST(Pickle, NamesAnOpcodeThatItDoesNotKnow) {
  const auto refused_opcode = [](char code) {
    return refusal([&] { read_text(std::string("\x80\x02") + code + "xx\n."); });
  };
  EXPECT_THAT(refused_opcode('i').what(), HasSubstr("INST"));
  EXPECT_THAT(refused_opcode('o').what(), HasSubstr("OBJ"));
  EXPECT_THAT(refused_opcode('\x81').what(), HasSubstr("NEWOBJ"));
  EXPECT_THAT(refused_opcode('\x93').what(), HasSubstr("STACK_GLOBAL"));
  EXPECT_THAT(refused_opcode('\x82').what(), HasSubstr("EXT1"));
  EXPECT_THAT(refused_opcode('\xEE').what(), HasSubstr("238"));
}

TEST(Pickle, IsBoundedInDepthAndSize) {
  const auto refused_text = [](const std::string& body) {
    return refusal([&] { read_text("\x80\x02" + body); }).kind();
  };
  EXPECT_EQ(refused_text(std::string(1'000'000, ']')), ErrorKind::corrupt);  // lists
  EXPECT_EQ(refused_text(std::string(1'000'000, '(')), ErrorKind::corrupt);  // marks
  EXPECT_EQ(refused_text(std::string(1'000'000, ')')), ErrorKind::corrupt);  // tuples
  std::string nested(1, ']');
  for (int i = 0; i < 100'000; ++i) nested += "\x85";  // a tuple of the one before
  EXPECT_EQ(read_text("\x80\x02" + nested + ".").nodes.size(), 100'001U);  // deep, but not for us
  std::string memo = "N";
  for (int i = 0; i < 1'000'000; ++i) {
    memo += 'r';
    memo.append(reinterpret_cast<const char*>(&i), sizeof i);
  }
  EXPECT_EQ(refused_text(memo), ErrorKind::corrupt);
  EXPECT_EQ(refused_text(std::string("X\xFF\xFF\xFF\xFF", 5) + "text."), ErrorKind::corrupt);
}

TEST(Pickle, RefusesAStackThatDoesNotAddUp) {
  for (const char* body : {".",   "N0.",   "a.",     "(a.",    "]a.",    "Nu.",  "(u.",  "}(Nu.",
                           "t.",  "\x86.", "N\x86.", "R.",     "NR.",    "NNR.", "Q.",   "NQ.",
                           ")Q.", "b.",    "}Nb.",   "h\x01.", "q\x01.", "}(N",  "]N(a."}) {
    EXPECT_EQ(refusal([&] { read_text(std::string("\x80\x02") + body); }).detail().file, "p")
        << body;
  }
}

TEST(Pickle, ReadsPlainValues) {
  const std::string bytes =
      "\x80\x02(K\x07M\x01\x02J\xFF\xFF\xFF\xFF\x8A\x01\xFE"
      "G\x3F\xF8\0\0\0\0\0\0\x88\x89NX\x02\0\0\0hit."s;
  const std::string longer = bytes + "beyond";
  const Pickle pickle = read_text(longer);  // borrows from it
  const PickleNode& root = pickle.nodes[pickle.root];
  ASSERT_EQ(root.kind, PickleKind::tuple);
  ASSERT_EQ(root.items.size(), 9U);
  const auto at = [&](std::size_t i) { return pickle.nodes[root.items[i]]; };
  EXPECT_EQ(at(0).integer, 7);
  EXPECT_EQ(at(1).integer, 513);
  EXPECT_EQ(at(2).integer, -1);
  EXPECT_EQ(at(3).integer, -2);
  EXPECT_EQ(at(4).real, 1.5);
  EXPECT_EQ(at(5).integer, 1);
  EXPECT_EQ(at(6).integer, 0);
  EXPECT_EQ(at(7).kind, PickleKind::none);
  EXPECT_EQ(at(8).text, "hi");
  EXPECT_EQ(pickle.size, bytes.size());
}

}  // namespace
}  // namespace kobolt
