#include "cli/calibration_data.h"

#include <algorithm>

#include "kobolt/evaluate.h"

namespace kobolt::cli {

void CalibrationDataFlags::add(CLI::App& command, const std::string& purpose) {
  command.add_option("--calibration-data", file_, purpose)
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command
      .add_option("--calibration-samples", samples_,
                  "N documents of --calibration-data, spread over all of it; 0 = all")
      ->capture_default_str()
      ->type_name("N");
}

std::vector<std::string> CalibrationDataFlags::documents(const std::string& field) const {
  std::vector<std::string> documents;
  if (file_.empty()) return documents;
  std::vector<Example> examples = read_dataset(file_, {.document_field = field});
  const std::size_t all = examples.size();
  // The first ones of a sorted file are like each other and unlike the rest.
  const std::size_t wanted = samples_ > 0 ? std::min(samples_, all) : all;
  for (std::size_t i = 0; i < wanted; ++i) {
    documents.push_back(std::move(examples[i * all / wanted].document));
  }
  return documents;
}

}  // namespace kobolt::cli
