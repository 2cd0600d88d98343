#include "base/mapped_file.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include "base/large_pages.h"
#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

class MappedFileTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& content) { return folder_.write("file", content); }

  static std::string some_content(std::size_t size) {
    std::string content(size, '\0');
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 >> 3U);
    return content;
  }
  static bool holds(const MappedFile& file, const std::string& content) {
    const auto bytes = file.bytes();
    return bytes.size() == content.size() &&
           std::memcmp(bytes.data(), content.data(), content.size()) == 0;
  }

 private:
  const TemporaryFolder folder_;
};

// Less than a page, pages without a rest, and several large pages and a bit.
constexpr std::size_t kSizes[] = {1, 4096, 2 * kLargePage, 5'000'001};

TEST_F(MappedFileTest, HoldsWhatTheFileHolds) {
  for (const std::size_t size : kSizes) {
    const std::string content = some_content(size);
    const auto file = MappedFile::open(write(content));
    EXPECT_TRUE(holds(*file, content));
  }
}

TEST_F(MappedFileTest, HoldsTheSameInLargePages) {
  for (const std::size_t size : kSizes) {
    const std::string content = some_content(size);
    const auto file = MappedFile::open(write(content));
    const auto* const begin = file->bytes().data();
    EXPECT_TRUE(file->move_to_large_pages());
    EXPECT_TRUE(file->move_to_large_pages()) << "a second time";
    EXPECT_EQ(file->bytes().data(), begin);
    EXPECT_TRUE(holds(*file, content));
  }
}

TEST_F(MappedFileTest, IsReadWhileItMoves) {
  const std::string content = some_content(11 * kLargePage + 17);  // pieces, and a rest
  const auto file = MappedFile::open(write(content));
  std::atomic<bool> done = false;
  std::atomic<bool> equal = true;
  std::jthread reader([&] {
    do {
      if (!holds(*file, content)) equal = false;
    } while (!done);
  });
  EXPECT_TRUE(file->move_to_large_pages());
  done = true;
  reader.join();
  EXPECT_TRUE(equal);
}

TEST_F(MappedFileTest, MovesNothingOnceItIsToldToStop) {
  const std::string content = some_content(kLargePage);
  const auto file = MappedFile::open(write(content));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(file->move_to_large_pages(stop.get_token()));
  EXPECT_TRUE(holds(*file, content));
  EXPECT_TRUE(file->move_to_large_pages());
}

TEST_F(MappedFileTest, IsSharedUntilTheFileChanges) {
  const auto path = write("one");
  const auto first = MappedFile::open_shared(path);
  EXPECT_EQ(MappedFile::open_shared(path), first);
  EXPECT_NE(MappedFile::open(path), first);
  std::filesystem::remove(path);
  write("other");
  const auto other = MappedFile::open_shared(path);
  EXPECT_TRUE(holds(*other, "other"));
  EXPECT_TRUE(holds(*first, "one"));
}

TEST_F(MappedFileTest, OfAnEmptyFileIsEmpty) {
  const auto file = MappedFile::open(write(""));
  EXPECT_TRUE(file->bytes().empty());
  EXPECT_TRUE(file->move_to_large_pages());
}

TEST_F(MappedFileTest, NamesAFileThatIsNotThere) {
  for (const auto open : {MappedFile::open, MappedFile::open_shared}) {
    try {
      (void)open("/nowhere/at/all");
      FAIL() << "opened";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::not_found);
      EXPECT_EQ(error.detail().file, "/nowhere/at/all");
    }
  }
}

}  // namespace
}  // namespace kobolt
