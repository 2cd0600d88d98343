#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "checkpoint/json_fields.h"
#include "kobolt/calibrate.h"
#include "kobolt/error.h"
#include "kobolt/version.h"
#include "quantize/calibration_file.h"
#include "quantize/clip.h"

// The format is described in docs/calibration.md.
namespace kobolt {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr std::int64_t kMostDocuments = std::int64_t{1} << 53;  // JSON numbers are doubles

/// JSON has no infinity.
OrderedJson ratio(double decibels) {
  return std::isfinite(decibels) ? OrderedJson(decibels) : OrderedJson(nullptr);
}

OrderedJson to_json(const LayerCalibration& layer) {
  return {{"name", layer.name},
          {"section", layer.section},
          {"min", layer.min},
          {"max", layer.max},
          {"clip", layer.clip},
          {"input_snr_db", ratio(layer.input_snr_db)},
          {"weight_snr_db", ratio(layer.weight_snr_db)},
          {"snr_db", ratio(layer.snr_db)},
          {"keep", layer.keep}};
}

float finite(const JsonFields& fields, const char* key) {
  const double value = fields.number(key, std::nan(""));
  if (!(std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()))) {
    fields.fail(key, fields.find(key) == nullptr ? nlohmann::json() : *fields.find(key),
                "a finite number");
  }
  return static_cast<float>(value);
}

CalibrationMethod method_from(const JsonFields& fields) {
  try {
    return calibration_method_from_name(fields.text("method", ""));
  } catch (const Error& error) {
    fields.fail("method", fields.text("method", ""), error.detail().expected);
  }
}

LayerCalibration layer_from(const nlohmann::json& object, const std::string& file) {
  if (!object.is_object()) {
    throw Error(ErrorKind::corrupt, "not a calibration",
                {.file = file, .field = "layers", .expected = "a list of objects"});
  }
  const JsonFields fields(object, file);
  constexpr double kNothingLost = std::numeric_limits<double>::infinity();
  LayerCalibration layer;
  layer.name = fields.text("name", "");
  layer.section = fields.text("section", "");
  layer.min = finite(fields, "min");
  layer.max = finite(fields, "max");
  layer.clip = finite(fields, "clip");
  if (layer.clip < kSmallestClip) {
    fields.fail("clip", *fields.find("clip"), fmt::format("at least {}", kSmallestClip));
  }
  layer.input_snr_db = fields.number("input_snr_db", kNothingLost);
  layer.weight_snr_db = fields.number("weight_snr_db", kNothingLost);
  layer.snr_db = fields.number("snr_db", kNothingLost);
  layer.keep = fields.boolean("keep", false);
  return layer;
}

}  // namespace

void Calibration::save(const std::filesystem::path& path) const {
  OrderedJson json = {{"format", kFormat},
                      {"tool_version", version()},
                      {"model_hash", model_hash},
                      {"method", name_of(method)}};
  if (method == CalibrationMethod::percentile) json["percentile"] = percentile;
  json["documents"] = documents;
  if (auto_mixed_db) json["auto_mixed_db"] = *auto_mixed_db;
  OrderedJson list = OrderedJson::array();
  for (const LayerCalibration& layer : layers) list.push_back(to_json(layer));
  json["layers"] = std::move(list);
  write_file(path, json.dump(1) + "\n");
}

Calibration Calibration::load(const std::filesystem::path& path) {
  return calibration_from_json(read_text_file(path), path.string());
}

Calibration calibration_from_json(std::string_view text, const std::string& file) {
  const nlohmann::json json = parse_json_object(text, file);
  const JsonFields fields(json, file);
  const std::int64_t format = fields.integer("format", 0, 0, std::numeric_limits<int>::max());
  if (format != kFormat) {
    fields.fail("format", format, std::to_string(kFormat) + ", which kobolt calibrate writes",
                ErrorKind::unsupported);
  }
  Calibration calibration;
  calibration.file = file;
  calibration.model_hash = fields.text("model_hash", "");
  calibration.method = method_from(fields);
  calibration.percentile = fields.number("percentile", 0);
  calibration.documents =
      static_cast<std::size_t>(fields.integer("documents", 0, 0, kMostDocuments));
  if (fields.find("auto_mixed_db") != nullptr) {
    calibration.auto_mixed_db = fields.number("auto_mixed_db", 0);
  }
  const nlohmann::json* layers = fields.find("layers");
  if (layers == nullptr || !layers->is_array()) {
    fields.fail("layers", layers == nullptr ? nlohmann::json() : *layers, "a list of objects");
  }
  for (const nlohmann::json& object : *layers) {
    calibration.layers.push_back(layer_from(object, file));
  }
  return calibration;
}

}  // namespace kobolt
