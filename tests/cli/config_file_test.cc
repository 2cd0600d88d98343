#include "cli/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "checkpoint/temporary_folder.h"
#include "cli/command.h"

namespace kobolt::cli {
namespace {

using ::testing::HasSubstr;

// The program with two small commands; parse() gives the exit status and fills the values.
class ConfigFileTest : public ::testing::Test {
 protected:
  ConfigFileTest() {
    prepare_app(app_, global_);
    CLI::App& run = add_command(app_, "run", "Runs.", "kobolt run");
    run.add_option("--num-beams", beams_);
    run.add_option("--suppress-tokens", suppressed_);
    run.add_flag("--sample", sample_);
    run.callback([this] { ran_ = true; });
    CLI::App& bench = add_command(app_, "bench", "Measures.", "kobolt bench");
    bench.add_option("--batch", batch_);
    bench.callback([this] { ran_ = true; });
  }

  int parse(const std::string& yaml, const std::vector<std::string>& arguments) {
    std::vector<const char*> argv{"kobolt"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    folder_.write("config.yaml", yaml);
    argv.push_back("--config");
    argv.push_back(file_.c_str());
    ::testing::internal::CaptureStderr();
    const int status = run_app(app_, static_cast<int>(argv.size()), argv.data());
    message_ = ::testing::internal::GetCapturedStderr();
    return status;
  }

  const TemporaryFolder folder_;
  const std::string file_ = folder_.path() / "config.yaml";
  CLI::App app_;
  GlobalOptions global_;
  int beams_ = 1;
  int batch_ = 1;
  bool sample_ = false;
  bool ran_ = false;
  std::vector<int> suppressed_;
  std::string message_;
};

TEST_F(ConfigFileTest, GivesOptionsOfTheCommandAndOfAll) {
  EXPECT_EQ(parse("threads: 3\nrun:\n  num_beams: 4\n  sample: true\n  suppress-tokens: [5, 6]\n",
                  {"run"}),
            0)
      << message_;
  EXPECT_TRUE(ran_);
  EXPECT_EQ(global_.threads, 3);
  EXPECT_EQ(beams_, 4);
  EXPECT_TRUE(sample_);
  EXPECT_EQ(suppressed_, (std::vector<int>{5, 6}));
}

TEST_F(ConfigFileTest, FlagsWinOverTheFile) {
  EXPECT_EQ(parse("run: {num-beams: 4}\n", {"run", "--num-beams", "2"}), 0) << message_;
  EXPECT_EQ(beams_, 2);
}

TEST_F(ConfigFileTest, TopLevelKeysCountForCommandsThatKnowThem) {
  EXPECT_EQ(parse("num-beams: 4\nbatch: 8\n", {"bench"}), 0) << message_;
  EXPECT_EQ(batch_, 8);
  EXPECT_EQ(beams_, 1);
}

TEST_F(ConfigFileTest, LeavesOtherCommandsAlone) {
  EXPECT_EQ(parse("bench: {batch: 8}\n", {"run"}), 0) << message_;
  EXPECT_EQ(batch_, 1);
}

TEST_F(ConfigFileTest, EmptyFileIsFine) { EXPECT_EQ(parse("", {"run"}), 0) << message_; }

TEST_F(ConfigFileTest, UnknownKeyNamesFileKeyAndClosest) {
  EXPECT_EQ(parse("run:\n  num-beam: 4\n", {"run"}), 2);
  EXPECT_THAT(message_, HasSubstr(file_));
  EXPECT_THAT(message_, HasSubstr("run.num-beam: unknown option; did you mean num-beams?"));
  EXPECT_FALSE(ran_);
  EXPECT_EQ(message_.find('\n'), message_.size() - 1);
}

TEST_F(ConfigFileTest, ChecksSectionsOfOtherCommandsToo) {
  EXPECT_EQ(parse("bench: {bacth: 4}\n", {"run"}), 2);
  EXPECT_THAT(message_, HasSubstr("bench.bacth"));
}

TEST_F(ConfigFileTest, RefusesRepeatedKeys) {
  EXPECT_EQ(parse("threads: 1\nthreads: 2\n", {"run"}), 2);
  EXPECT_THAT(message_, HasSubstr("threads: given twice"));
}

TEST_F(ConfigFileTest, BadValueNamesOptionAndFile) {
  EXPECT_EQ(parse("run: {num-beams: many}\n", {"run"}), 2);
  EXPECT_THAT(message_, HasSubstr("--num-beams"));
  EXPECT_THAT(message_, HasSubstr("from " + file_));
}

TEST_F(ConfigFileTest, RefusesNesting) {
  EXPECT_EQ(parse("run: {num-beams: {a: b}}\n", {"run"}), 2);
  EXPECT_EQ(parse("run: 3\n", {"run"}), 2);
  EXPECT_EQ(parse("- run\n", {"run"}), 2);
  EXPECT_EQ(parse("[a, b]: 1\n", {"run"}), 2);
}

TEST_F(ConfigFileTest, ConfigInsideConfigIsRefused) {
  EXPECT_EQ(parse("config: other.yaml\n", {"run"}), 2);
  EXPECT_THAT(message_, HasSubstr("config"));
}

TEST_F(ConfigFileTest, WhatIsNotYamlFails) {
  EXPECT_EQ(parse("run: [\n", {"run"}), 1);
  EXPECT_THAT(message_, HasSubstr("not valid YAML"));
  EXPECT_EQ(parse(std::string(100'000, '['), {"run"}), 1);
  EXPECT_EQ(parse("# " + std::string(2U << 20U, 'x'), {"run"}), 1);
  EXPECT_THAT(message_, HasSubstr("too large"));
}

}  // namespace
}  // namespace kobolt::cli
