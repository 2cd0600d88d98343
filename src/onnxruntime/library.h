#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "onnxruntime/c_api.h"

namespace kobolt {

/// ONNX Runtime's library, loaded while the program runs.
class OnnxRuntimeLibrary {
 public:
  /// The one that this process uses, looked for once where places() says.
  static const OnnxRuntimeLibrary& find();
  /// Where it is looked for, in this order: what the environment variable KOBOLT_ONNXRUNTIME names,
  /// a file or a folder, and then nowhere else; the loader's places; the active Python or conda
  /// environment ("pip install onnxruntime"); /usr/local/lib; /opt/onnxruntime/lib.
  static std::vector<std::string> places();

  /// Loads the first of `places` that is there and can be used: names for the loader, files, or
  /// folders that hold it under any of its names.
  explicit OnnxRuntimeLibrary(const std::vector<std::string>& places);

  /// Null where there is none that can be used.
  [[nodiscard]] const OrtFunctions* functions() const { return functions_; }
  [[nodiscard]] const std::string& library() const { return library_; }  ///< empty: none was there
  [[nodiscard]] const std::string& version() const { return version_; }  ///< "1.32.0"
  /// Why there is none that can be used; empty where there is one.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  bool load(const std::string& path);

  const OrtFunctions* functions_ = nullptr;
  std::string library_;
  std::string version_;
  std::string problem_;
};

/// The process's ONNX Runtime. Throws Error(unsupported) naming `file`, which asked for it, and
/// what is missing.
const OrtFunctions& require_onnx_runtime(const std::filesystem::path& file);

}  // namespace kobolt
