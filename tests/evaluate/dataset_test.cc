#include "evaluate/dataset.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <thread>
#include <vector>

#include "checkpoint/temporary_folder.h"
#include "dataset_error.h"

namespace kobolt {
namespace {

using ::testing::HasSubstr;

class DatasetTest : public ::testing::Test {
 protected:
  std::vector<Example> read(const std::string& name, std::string_view text,
                            const DatasetOptions& options = {}) {
    return read_dataset(folder_.write(name, text), options);
  }
  const TemporaryFolder folder_;
};

TEST_F(DatasetTest, ExtensionDecides) {
  EXPECT_EQ(read("a.jsonl", "{\"document\": \"x\"}")[0].document, "x");
  EXPECT_EQ(read("a.JSON", "[{\"document\": \"x\"}]")[0].document, "x");
  EXPECT_EQ(read("b.json", "{\"document\": \"x\"}\n{\"document\": \"y\"}")[1].document, "y");
  EXPECT_EQ(read("a.csv", "document\nx")[0].document, "x");
  EXPECT_EQ(read("a.tsv", "id\tdocument\n1\tx")[0].document, "x");
  EXPECT_EQ(read("a.txt", "{\"document\": \"x\"}")[0].document, "{\"document\": \"x\"}");
  EXPECT_EQ(read("a", " \n{\"document\": \"x\"}")[0].document, "x");
  EXPECT_EQ(read("b", "x {")[0].document, "x {");
}

TEST_F(DatasetTest, TextIsADocumentALine) {
  const auto examples = read("a.txt", "\xEF\xBB\xBFone\r\n\n  \ntwo \xFF\nthree");
  ASSERT_EQ(examples.size(), 3U);
  EXPECT_EQ(examples[0].document, "one");
  EXPECT_EQ(examples[0].id, "1");
  EXPECT_EQ(examples[1].document, "two \uFFFD");
  EXPECT_EQ(examples[1].id, "4");
  EXPECT_EQ(examples[2].document, "three");
}

TEST_F(DatasetTest, BlankLinesOfTextCountWhenAskedFor) {
  const auto examples = read("a.txt", "one\n\ntwo\n", {.blank_lines = true});
  ASSERT_EQ(examples.size(), 3U);
  EXPECT_EQ(examples[1].document, "");
  EXPECT_EQ(examples[2].id, "3");
  EXPECT_TRUE(examples[2].numbered);
}

TEST_F(DatasetTest, TextHasNoReferences) {
  try {
    (void)read("a.txt", "one", {.need_references = true});
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
  }
}

TEST_F(DatasetTest, EmptyFilesSaySo) {
  for (const char* name : {"a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt", "a"}) {
    for (const char* text : {"", "\n \r\n", "\xEF\xBB\xBF"}) {
      try {
        (void)read(name, text);
        FAIL() << "expected an error for " << name;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::corrupt);
        EXPECT_THAT(error.what(), HasSubstr("no documents"));
        EXPECT_THAT(error.what(), HasSubstr(name));
      }
    }
  }
}

TEST_F(DatasetTest, OtherKindsOfFilesAreNamed) {
  for (const auto& [bytes, what] :
       std::vector<std::pair<std::string, std::string>>{{"\x1F\x8B\x08", "gzip"},
                                                        {"PAR1....", "Parquet"},
                                                        {"\xFF\xFEx", "UTF-16"},
                                                        {"PK\x03\x04", "zip"}}) {
    const Error error = dataset_error(bytes, DatasetFormat::json_lines);
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_THAT(error.what(), HasSubstr(what));
    EXPECT_FALSE(error.detail().hint.empty());
  }
}

TEST_F(DatasetTest, MissingFilesAndFolders) {
  try {
    (void)read_dataset(folder_.path() / "missing.jsonl");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
  }
  EXPECT_THROW((void)read_dataset(folder_.path()), Error);
}

TEST_F(DatasetTest, PipesAreRead) {
  const auto pipe = folder_.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] {
    if (std::FILE* file = std::fopen(pipe.c_str(), "w")) {
      std::fputs("{\"document\": \"from a pipe\"}\n", file);
      std::fclose(file);
    }
  });
  const auto examples = read_dataset(pipe);
  writer.join();
  ASSERT_EQ(examples.size(), 1U);
  EXPECT_EQ(examples[0].document, "from a pipe");
}

}  // namespace
}  // namespace kobolt
