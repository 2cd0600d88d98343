#pragma once

#include <memory>

#include "format/engine_file.h"
#include "kobolt/compile.h"

namespace kobolt {

/// compile() without a file, for running straight from a checkpoint. Throws Error.
std::shared_ptr<const EngineFile> compile_to_memory(const Model& model,
                                                    const CompileOptions& options);

}  // namespace kobolt
