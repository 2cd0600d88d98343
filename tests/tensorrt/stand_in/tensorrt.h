#pragma once

#include <filesystem>
#include <string>

#include "export/tensorrt/component.h"

namespace stand_in {

/// What TensorRT would have built from one of the three graphs in `folder`, which must stay: with
/// selection and reordering, for the sizes of `profile`.
std::string plan_of(const std::filesystem::path& folder, const std::string& graph,
                    const kobolt::TensorRTProfile& profile);

}  // namespace stand_in
