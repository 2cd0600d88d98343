#include "optimize/trial_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

const TrialStore::Description kDescription{{"data", "1"}, {"model", "a"}};

class TrialStoreTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path file() const { return folder_.path() / "trials.sqlite"; }
  [[nodiscard]] std::string refusal(const TrialStore::Description& description) const {
    try {
      const TrialStore store(file(), description);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was refused";
  }
  const TemporaryFolder folder_;
};

TEST_F(TrialStoreTest, KeepsWhatWasMeasured) {
  {
    TrialStore store(file(), kDescription);
    store.add("int8", {.file_bytes = 100, .seconds = 2, .summaries = {{3, "한국어 'x'"}, {7, ""}}});
    store.add("int8", {.peak_memory = 5,
                       .seconds = 1,
                       .summaries = {{1, "more"}},
                       .times = {{"screening",
                                  {.speed = {.low = 1, .ratio = 2, .high = 3, .confidence = 0.8},
                                   .latency = 0.5,
                                   .latency_p95 = 0.75,
                                   .throughput = 4}}}});
    store.add("int4", {.error = "cannot be made"});
  }
  const TrialStore store(file(), kDescription);
  EXPECT_EQ(store.trials(), 2U);
  EXPECT_DOUBLE_EQ(store.seconds(), 3);
  const TrialRecord& record = store.find("int8");
  EXPECT_EQ(record.file_bytes, 100U);
  EXPECT_EQ(record.peak_memory, 5U);
  EXPECT_EQ(record.summaries,
            (std::map<std::size_t, std::string>{{1, "more"}, {3, "한국어 'x'"}, {7, ""}}));
  const SettingTimes& times = record.times.at("screening");
  EXPECT_EQ(times.speed.low, 1);
  EXPECT_EQ(times.speed.ratio, 2);
  EXPECT_EQ(times.speed.high, 3);
  EXPECT_EQ(times.speed.confidence, 0.8);
  EXPECT_EQ(times.latency, 0.5);
  EXPECT_EQ(times.latency_p95, 0.75);
  EXPECT_EQ(times.throughput, 4);
  EXPECT_EQ(store.find("int4").error, "cannot be made");
  EXPECT_TRUE(store.find("fp16").summaries.empty());
}

TEST_F(TrialStoreTest, RefusesTrialsOfAnotherSearch) {
  { const TrialStore store(file(), kDescription); }
  const std::string message = refusal({{"data", "1"}, {"model", "b"}});
  for (const char* part : {"another search", "model", "found a", "b, as given now"}) {
    EXPECT_THAT(message, HasSubstr(part));
  }
  EXPECT_THAT(refusal({{"data", "1"}}), HasSubstr("nothing, as given now"));
}

TEST_F(TrialStoreTest, RefusesWhatIsNoDatabaseOrInUse) {
  std::ofstream(file()) << "This is a letter, and no database at all. " << std::string(500, '.');
  EXPECT_THAT(refusal(kDescription), HasSubstr("not a database"));
  fs::remove(file());
  const TrialStore store(file(), kDescription);
  EXPECT_THAT(refusal(kDescription), HasSubstr("another process uses this file"));
}

TEST_F(TrialStoreTest, AFullDiskLosesNothing) {
  Sqlite database(file());
  database.execute("CREATE TABLE t(text TEXT)");
  database.execute("INSERT INTO t VALUES('first')");
  database.execute("PRAGMA max_page_count=4");
  try {
    SqliteTransaction transaction(database);
    database.prepare("INSERT INTO t VALUES(?)").bind(std::string(100000, 'x')).run();
    transaction.commit();
    FAIL() << "there was room";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    EXPECT_THAT(error.what(), HasSubstr("full"));
    EXPECT_THAT(error.what(), HasSubstr("make room"));
  }
  SqliteStatement rows = database.prepare("SELECT text FROM t");
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.text(0), "first");
  EXPECT_FALSE(rows.step());
}

}  // namespace
}  // namespace kobolt
