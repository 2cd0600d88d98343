#include "kobolt/error.h"

#include <gtest/gtest.h>

#include <string>

namespace kobolt {
namespace {

TEST(Error, NamesFileFieldFoundExpectedAndHint) {
  const Error error(ErrorKind::corrupt, "wrong length",
                    {.file = "m.kobolt",
                     .field = "weights",
                     .found = "3",
                     .expected = "4",
                     .hint = "compile again"});
  EXPECT_EQ(std::string(error.what()),
            "m.kobolt: weights: wrong length (found 3, expected 4); compile again");
  EXPECT_EQ(error.kind(), ErrorKind::corrupt);
}

TEST(Error, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(std::string(Error(ErrorKind::io, "no space").what()), "no space");
  EXPECT_EQ(std::string(Error(ErrorKind::io, "bad", {.found = "x"}).what()), "bad (found x)");
}

}  // namespace
}  // namespace kobolt
