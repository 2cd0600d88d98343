#include "base/choice.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace kobolt {
namespace {

enum class Colour { red, green };

std::string_view name_of(Colour colour) { return colour == Colour::red ? "red" : "green"; }

constexpr std::array kColours = {Colour::red, Colour::green};

TEST(Choice, IsFoundByItsName) {
  for (const Colour colour : kColours) {
    EXPECT_EQ(choice_from_name(kColours, name_of(colour), "no such colour", "paint"), colour);
  }
}

TEST(Choice, AnUnknownNameIsAnsweredWithAllThatThereAre) {
  try {
    (void)choice_from_name(kColours, "blue", "no such colour", "paint");
    FAIL() << "blue was found";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
    EXPECT_EQ(std::string_view(error.what()),
              "paint: no such colour (found \"blue\", expected red, green)");
  }
}

}  // namespace
}  // namespace kobolt
