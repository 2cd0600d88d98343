#include "cli/calibration_data.h"

#include "kobolt/evaluate.h"

namespace kobolt::cli {

void CalibrationDataFlags::add(CLI::App& command, const std::string& purpose) {
  command.add_option("--calibration-data", file_, purpose)
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command
      .add_option("--calibration-samples", samples_,
                  "Only the first N documents of --calibration-data; 0 = all")
      ->capture_default_str()
      ->type_name("N");
}

std::vector<std::string> CalibrationDataFlags::documents(const std::string& field) const {
  std::vector<std::string> documents;
  if (file_.empty()) return documents;
  for (Example& example : read_dataset(file_, {.document_field = field})) {
    if (samples_ > 0 && documents.size() == samples_) break;
    documents.push_back(std::move(example.document));
  }
  return documents;
}

}  // namespace kobolt::cli
