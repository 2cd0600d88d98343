#include "base/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "base/mapped_file.h"
#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

class AtomicFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] long files() const {
    return std::distance(std::filesystem::directory_iterator(folder_), {});
  }
  const TemporaryFolder temporary_;
  const std::filesystem::path& folder_ = temporary_.path();
};

TEST_F(AtomicFileTest, AppearsWholeOnCommit) {
  AtomicFile file(folder_ / "x");
  file.write("hello");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
  file.write_at(0, std::as_bytes(std::span("J", 1)));
  file.commit();
  EXPECT_EQ(read_text_file(folder_ / "x"), "Jello");
  EXPECT_EQ(files(), 1);
}

TEST_F(AtomicFileTest, LeavesNothingAndKeepsTheOldFileWithoutCommit) {
  write_file(folder_ / "x", "old");
  {
    AtomicFile file(folder_ / "x");
    file.write("new");
  }
  EXPECT_EQ(read_text_file(folder_ / "x"), "old");
  EXPECT_EQ(files(), 1);
}

TEST_F(AtomicFileTest, HasOrdinaryPermissions) {
  const mode_t mask = ::umask(022);
  write_file(folder_ / "x", "text");
  ::umask(mask);
  struct stat status {};
  ASSERT_EQ(::stat((folder_ / "x").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
}

TEST_F(AtomicFileTest, NamesAFolderThatDoesNotExist) {
  try {
    write_file(folder_ / "no" / "x", "text");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    EXPECT_NE(std::string(error.what()).find("no/x"), std::string::npos);
  }
}

TEST_F(AtomicFileTest, ReplacesNoFolderDeviceOrPipe) {
  EXPECT_THROW(AtomicFile{folder_}, Error);
  EXPECT_THROW(AtomicFile{"/dev/null"}, Error);
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(AtomicFile{folder_ / "pipe"}, Error);
  EXPECT_EQ(files(), 1);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(AtomicFileTest, WritesThroughALink) {
  write_file(folder_ / "x", "old");
  std::filesystem::create_symlink("x", folder_ / "link");
  write_file(folder_ / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_text_file(folder_ / "x"), "new");
}

// Opening the pipe itself would wait for a writer.
TEST_F(AtomicFileTest, ReadingAPipeAsAFileIsAnError) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_THROW((void)read_text_file(folder_ / "pipe"), Error);
}

TEST_F(AtomicFileTest, MissingFileIsNotFound) {
  try {
    (void)read_text_file(folder_ / "missing");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
  }
}

}  // namespace
}  // namespace kobolt
