#include "quantize/calibration_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

using testing::HasSubstr;

Calibration some_calibration() {
  constexpr double kExact = std::numeric_limits<double>::infinity();
  Calibration calibration{.model_hash = "0123456789abcdef0123456789abcdef",
                          .method = CalibrationMethod::percentile,
                          .percentile = 99.9,
                          .documents = 512,
                          .auto_mixed_db = 40.0};
  calibration.layers = {{.name = "encoder.layers.0.fc1",
                         .section = "encoder.layers.0.fc1",
                         .min = -1.1F,
                         .max = 0.3333333F,
                         .clip = 1.0999999F,
                         .input_snr_db = 41.25,
                         .weight_snr_db = kExact,
                         .snr_db = 39.1234567890123,
                         .keep = true},
                        {.name = "lm_head", .section = "lm_head", .max = 1e-30F, .clip = 1e30F}};
  return calibration;
}

TEST(CalibrationFile, ComesBackAsItWas) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "calibration.json";
  const Calibration written = some_calibration();
  written.save(path);
  const Calibration read = Calibration::load(path);
  EXPECT_EQ(read.file, path.string());
  EXPECT_EQ(read.model_hash, written.model_hash);
  EXPECT_EQ(read.method, written.method);
  EXPECT_EQ(read.percentile, written.percentile);
  EXPECT_EQ(read.documents, written.documents);
  EXPECT_EQ(read.auto_mixed_db, written.auto_mixed_db);
  ASSERT_EQ(read.layers.size(), written.layers.size());
  for (std::size_t i = 0; i < read.layers.size(); ++i) {
    const LayerCalibration& ours = written.layers[i];
    const LayerCalibration& theirs = read.layers[i];
    EXPECT_EQ(theirs.name, ours.name);
    EXPECT_EQ(theirs.section, ours.section);
    EXPECT_EQ(theirs.min, ours.min);
    EXPECT_EQ(theirs.max, ours.max);
    EXPECT_EQ(theirs.clip, ours.clip);
    EXPECT_EQ(theirs.input_snr_db, ours.input_snr_db);
    EXPECT_EQ(theirs.weight_snr_db, ours.weight_snr_db);
    EXPECT_EQ(theirs.snr_db, ours.snr_db);
    EXPECT_EQ(theirs.keep, ours.keep);
  }
}

std::string refusal_of_file(const std::string& text) {
  try {
    (void)calibration_from_json(text, "broken.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

/// The file of some_calibration() with one thing changed.
template <typename Change>
std::string changed(Change change) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "calibration.json";
  some_calibration().save(path);
  nlohmann::json json = nlohmann::json::parse(std::ifstream(path));
  change(json);
  return json.dump();
}

TEST(CalibrationFile, NamesFileAndFieldOfWhatIsWrong) {
  const auto field = [](const char* key, nlohmann::json value) {
    return refusal_of_file(changed([&](nlohmann::json& json) { json[key] = value; }));
  };
  const auto layer = [](const char* key, nlohmann::json value) {
    return refusal_of_file(changed([&](nlohmann::json& json) { json["layers"][0][key] = value; }));
  };
  for (const std::string& message :
       {refusal_of_file("{"), field("format", 2), field("method", "best"), field("layers", 3),
        layer("clip", 0), layer("min", nullptr), layer("max", 1e300), layer("keep", "yes")}) {
    EXPECT_THAT(message, HasSubstr("broken.json"));
  }
  EXPECT_THAT(field("format", 2), HasSubstr("kobolt calibrate"));
  EXPECT_THAT(field("method", "best"), HasSubstr("minmax"));
  EXPECT_THAT(field("layers", 3), HasSubstr("layers"));
  EXPECT_THAT(layer("clip", 0), HasSubstr("clip"));
  EXPECT_THAT(layer("min", nullptr), HasSubstr("min"));
  EXPECT_THAT(refusal_of_file(changed([](nlohmann::json& json) { json["layers"][1] = 5; })),
              HasSubstr("layers"));
}

TEST(CalibrationFile, SaysWhichLayerIsMissing) {
  Calibration calibration = some_calibration();
  calibration.file = "half.json";
  EXPECT_EQ(&calibration.layer("lm_head"), &calibration.layers[1]);
  try {
    (void)calibration.layer("encoder.layers.7.fc2");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("half.json"));
    EXPECT_THAT(error.what(), HasSubstr("encoder.layers.7.fc2"));
  }
}

}  // namespace
}  // namespace kobolt
