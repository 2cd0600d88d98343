#include "base/mapped_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "kobolt/error.h"

namespace kobolt {
namespace {

class MappedFileTest : public ::testing::TestWithParam<Pages> {
 protected:
  std::filesystem::path write(const std::string& content) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string("kobolt-mapped-") + test->name();
    std::ranges::replace(name, '/', '-');
    path_ = std::filesystem::path(::testing::TempDir()) / name;
    std::ofstream(path_, std::ios::binary) << content;
    return path_;
  }
  void TearDown() override { std::filesystem::remove(path_); }

 private:
  std::filesystem::path path_;
};

TEST_P(MappedFileTest, HoldsWhatTheFileHolds) {
  // Less than a page, and several large pages and a bit.
  for (const std::size_t size : {std::size_t{1}, std::size_t{5'000'001}}) {
    std::string content(size, '\0');
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 >> 3U);
    const auto file = MappedFile::open(write(content), GetParam());
    const auto bytes = file->bytes();
    ASSERT_EQ(bytes.size(), size);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), content.begin(),
                           [](std::byte a, char b) { return a == static_cast<std::byte>(b); }));
  }
}

TEST_P(MappedFileTest, OfAnEmptyFileIsEmpty) {
  EXPECT_TRUE(MappedFile::open(write(""), GetParam())->bytes().empty());
}

TEST_P(MappedFileTest, NamesAFileThatIsNotThere) {
  try {
    (void)MappedFile::open("/nowhere/at/all", GetParam());
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_EQ(error.detail().file, "/nowhere/at/all");
  }
}

INSTANTIATE_TEST_SUITE_P(Pages, MappedFileTest, ::testing::Values(Pages::mapped, Pages::large),
                         [](const auto& test) {
                           return test.param == Pages::large ? "large" : "mapped";
                         });

}  // namespace
}  // namespace kobolt
