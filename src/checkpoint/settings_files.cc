#include "checkpoint/settings_files.h"

#include "base/atomic_file.h"
#include "kobolt/error.h"
#include "model/layout.h"

namespace kobolt {

void check_shapes(const Model& model) {
  for (const TensorSpec& spec : expected_tensors(model.config)) {
    const auto found = model.tensors.find(spec.name);
    if (found == model.tensors.end() && !spec.required) continue;
    if (found == model.tensors.end() || found->second.shape != spec.shape) {
      throw Error(ErrorKind::unsupported,
                  "the model's tensors do not have its configuration's shapes",
                  {.file = model.provenance.source, .field = spec.name});
    }
  }
}

void write_settings(const Model& model, const std::filesystem::path& folder,
                    const std::string& config) {
  write_file(folder / "config.json", config);
  if (!model.raw_generation_config.empty()) {
    write_file(folder / "generation_config.json", model.raw_generation_config);
  }
  for (const auto& [name, content] : model.tokenizer) write_file(folder / name, content);
}

}  // namespace kobolt
