#include "cli/progress.h"

#include <gtest/gtest.h>

#include <limits>

namespace kobolt::cli {
namespace {

TEST(Progress, TellsSpeedAndTimeLeft) {
  EXPECT_EQ(progress_line("reading", "documents", 0, 8, 2.0, 40), "reading 0/8 documents");
  EXPECT_EQ(progress_line("reading", "documents", 2, 8, 4.0, 50),
            "reading 2/8 documents  0.5/s  12 s left");
  EXPECT_EQ(progress_line("reading", "documents", 8, 8, 4.0, 40), "reading 8/8 documents  2.0/s");
}

TEST(Progress, DrawsABarWhereThereIsRoom) {
  const std::string line = progress_line("reading", "documents", 4, 8, 4.0, 80);
  EXPECT_NE(line.find("[============            ]"), std::string::npos) << line;
}

TEST(Progress, ABarNeedsNoUnits) {
  EXPECT_EQ(bar_line("int8", 0.25, 40), "int8  [======                  ]");
  EXPECT_EQ(bar_line("int8", 9, 40), "int8  [========================]");
  EXPECT_EQ(bar_line("int8", 0.25, 20), "int8");
  EXPECT_EQ(bar_line("int8", 0.25, 3), "int");
}

TEST(Progress, NeverExceedsTheTerminal) {
  for (std::size_t columns = 0; columns < 90; ++columns) {
    EXPECT_LE(progress_line("reading", "documents", 4, 8, 4.0, columns).size(), columns);
  }
}

TEST(Progress, SurvivesOddCounts) {
  EXPECT_NO_THROW(progress_line("reading", "documents", 9, 8, 1.0, 80));
  EXPECT_NO_THROW(progress_line("reading", "documents", 0, 0, 1.0, 80));
}

TEST(Progress, FormatsDurations) {
  EXPECT_EQ(format_duration(0.2), "0 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(200), "3 min 20 s");
  EXPECT_EQ(format_duration(7500), "2 h 05 min");
  EXPECT_FALSE(format_duration(std::numeric_limits<double>::infinity()).empty());
}

}  // namespace
}  // namespace kobolt::cli
