#include "export/tensorrt/plan_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/atomic_file.h"
#include "checkpoint/json_fields.h"
#include "kobolt/error.h"
#include "kobolt/version.h"

namespace kobolt {
namespace {

constexpr int kMostRows = 1 << 20;
constexpr int kMostTokens = 1 << 24;

class AtomicSink : public EngineSink {
 public:
  explicit AtomicSink(AtomicFile& file) : file_(file) {}
  void append(std::span<const std::byte> bytes) override { file_.write(bytes); }
  void overwrite(std::size_t offset, std::span<const std::byte> bytes) override {
    file_.write_at(offset, bytes);
  }

 private:
  AtomicFile& file_;
};

std::string section_of(std::string_view plan) { return "tensorrt/" + std::string(plan); }

void add_bytes(EngineWriter& writer, const std::string& name, std::string_view content) {
  writer.add(name, Layout::bytes, {static_cast<std::int64_t>(content.size())},
             std::as_bytes(std::span(content)));
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// One list of fields for the writer and the reader.
template <typename Profile, typename Visitor>
void visit_profile(Profile& profile, Visitor&& visit) {
  visit("batch", profile.batch, kMostRows);
  visit("min_batch", profile.min_batch, kMostRows);
  visit("max_batch", profile.max_batch, kMostRows);
  visit("sequence", profile.sequence, kMostTokens);
  visit("min_sequence", profile.min_sequence, kMostTokens);
  visit("max_sequence", profile.max_sequence, kMostTokens);
  visit("max_positions", profile.max_positions, kMostTokens);
}

std::string describe(const TensorRTPlatform& platform) {
  return fmt::format("TensorRT {} on {} (compute capability {})", platform.version, platform.device,
                     platform.compute_capability);
}

}  // namespace

PlanFile PlanFile::open(const std::filesystem::path& path) {
  PlanFile result{.file = EngineFile::open(path)};
  const EngineFile& file = *result.file;
  const Section* section = file.find(kTensorRTSection);
  if (section == nullptr) {
    throw Error(ErrorKind::unsupported, "this is no TensorRT engine",
                {.file = path.string(),
                 .found = "an engine file for Kobolt's own CPU engine",
                 .expected = "what kobolt compile --backend tensorrt writes"});
  }
  const nlohmann::json json = parse_json_object(text_of(file.bytes(*section)), file.name());
  const JsonFields fields(json, file.name());
  result.platform = {.version = fields.text("tensorrt_version", ""),
                     .device = fields.text("device", ""),
                     .compute_capability = fields.text("compute_capability", "")};
  visit_profile(result.profile, [&](const char* name, int& value, int most) {
    value = static_cast<int>(fields.integer(name, 0, 0, most));
    if (value < 1) fields.fail(name, value, fmt::format("1 to {}", most));
  });
  return result;
}

void PlanFile::require(const TensorRTPlatform& here) const {
  if (platform.version != here.version) {
    throw Error(ErrorKind::unsupported, "the engine is for another version of TensorRT",
                {.file = file->name(),
                 .field = "tensorrt_version",
                 .found = platform.version,
                 .expected = here.version + ", which is installed",
                 .hint = "convert the model again on this machine"});
  }
  if (platform.device != here.device || platform.compute_capability != here.compute_capability) {
    throw Error(ErrorKind::unsupported, "the engine is for another GPU",
                {.file = file->name(),
                 .field = "device",
                 .found = describe(platform),
                 .expected = describe(here),
                 .hint = "convert the model again on this machine"});
  }
}

std::span<const std::byte> PlanFile::plan(std::string_view name) const {
  return file->bytes(file->section(section_of(name)));
}

void write_plan_file(const std::filesystem::path& path, const Model& model, Precision precision,
                     const TensorRTPlatform& platform, const TensorRTProfile& profile,
                     const TensorRTPlans& plans) {
  nlohmann::ordered_json json = {{"tensorrt_version", platform.version},
                                 {"device", platform.device},
                                 {"compute_capability", platform.compute_capability}};
  visit_profile(profile, [&](const char* name, int value, int) { json[name] = value; });

  AtomicFile file(path);
  AtomicSink sink(file);
  EngineWriter writer(sink);
  add_bytes(writer, std::string(kTensorRTSection), json.dump());
  for (const auto& [name, plan] : plans) add_bytes(writer, section_of(name), plan);
  for (const auto& [name, content] : model.tokenizer) {
    add_bytes(writer, "tokenizer/" + name, content);
  }
  EngineMetadata metadata{.precision = precision,
                          .config = model.config,
                          .generation = model.generation,
                          .provenance = model.provenance};
  metadata.provenance.tool_version = version();
  metadata.provenance.steps.push_back(
      fmt::format("converted to {}, {}", describe(platform), name_of(precision)));
  writer.finish(metadata);
  file.commit();
}

}  // namespace kobolt
