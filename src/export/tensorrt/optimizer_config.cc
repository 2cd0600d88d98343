#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "checkpoint/json_fields.h"
#include "kobolt/error.h"
#include "kobolt/tensorrt.h"

namespace kobolt {
namespace {

constexpr std::array kKeys = {"precision", "workspace_size", "max_batch_size",
                              "tensorrt_available"};

void check_keys(const nlohmann::json& json, const std::string& file) {
  const std::string expected = "precision, workspace_size, max_batch_size, tensorrt_available";
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(kKeys, key) != kKeys.end()) continue;
    throw Error(ErrorKind::corrupt, "not a setting of TensorRT",
                {.file = file, .field = key, .expected = expected});
  }
  for (const char* key : kKeys) {
    if (json.contains(key)) continue;
    throw Error(ErrorKind::corrupt, "a setting is missing",
                {.file = file, .field = key, .expected = expected});
  }
}

}  // namespace

void TensorRTOptimizer::save_config(const std::filesystem::path& path) const {
  const nlohmann::ordered_json json = {{"precision", name_of(options_.precision)},
                                       {"workspace_size", options_.workspace_size},
                                       {"max_batch_size", options_.max_batch_size},
                                       {"tensorrt_available", tensorrt_available()}};
  write_file(path, json.dump(2) + "\n");
}

TensorRTOptimizer TensorRTOptimizer::load_config(const std::filesystem::path& path) {
  const std::string file = path.string();
  const nlohmann::json json = parse_json_object(read_text_file(path), file);
  check_keys(json, file);
  const JsonFields fields(json, file);
  TensorRTOptions options;
  const std::string precision = fields.text("precision", "");
  if (precision != "fp32" && precision != "fp16" && precision != "int8") {
    fields.fail("precision", precision, "fp32, fp16 or int8");
  }
  options.precision = precision_from_name(precision);
  options.workspace_size = static_cast<std::size_t>(
      fields.integer("workspace_size", 0, 1, std::numeric_limits<std::int64_t>::max()));
  options.max_batch_size =
      static_cast<int>(fields.integer("max_batch_size", 0, 1, std::numeric_limits<int>::max()));
  (void)fields.boolean("tensorrt_available", false);  // of the machine that wrote it
  return TensorRTOptimizer(options);
}

}  // namespace kobolt
