#include "onnxruntime/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/shared_library.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVariable = "KOBOLT_ONNXRUNTIME";
constexpr const char* kName = "libonnxruntime.so";

/// What the folder holds: the plain name, the one of a version, or the last of several.
std::optional<fs::path> library_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    const std::string name = entry.path().filename().string();
    if (name == kName || name.starts_with(std::string(kName) + ".")) found.push_back(entry.path());
  }
  if (found.empty()) return std::nullopt;
  return *std::ranges::max_element(found);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

/// The folders in which a Python environment keeps the package onnxruntime.
void add_packages(const fs::path& environment, std::vector<std::string>& places) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(environment / "lib", failed)) {
    if (!entry.path().filename().string().starts_with("python3")) continue;
    places.push_back((entry.path() / "site-packages" / "onnxruntime" / "capi").string());
  }
}

}  // namespace

std::vector<std::string> OnnxRuntimeLibrary::places() {
  if (const std::string named = variable(kVariable); !named.empty()) return {named};
  std::vector<std::string> places{"libonnxruntime.so.1", kName};
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    const std::string environment = variable(name);
    if (environment.empty()) continue;
    places.push_back(environment + "/lib");
    add_packages(environment, places);
  }
  places.insert(places.end(), {"/usr/local/lib", "/opt/onnxruntime/lib"});
  return places;
}

const OnnxRuntimeLibrary& OnnxRuntimeLibrary::find() {
  static const OnnxRuntimeLibrary library(places());
  return library;
}

OnnxRuntimeLibrary::OnnxRuntimeLibrary(const std::vector<std::string>& places) {
  for (const std::string& place : places) {
    std::error_code failed;
    const bool folder = fs::is_directory(place, failed);
    const std::optional<fs::path> file = folder ? library_in(place) : fs::path(place);
    if (file && load(file->string())) {
      problem_.clear();
      return;
    }
  }
  if (!problem_.empty()) return;
  problem_ = places.size() == 1
                 ? fmt::format("{} ({}) is no {}", places.front(), kVariable, kName)
                 : fmt::format("{} was not found; {} names another place", kName, kVariable);
}

bool OnnxRuntimeLibrary::load(const std::string& path) {
  void* handle = load_library(path);
  if (handle == nullptr) {
    const char* message = ::dlerror();
    std::error_code failed;
    const bool is_there = path.find('/') != std::string::npos && fs::exists(path, failed);
    if (is_there && message != nullptr) problem_ = message;
    return false;
  }
  library_ = path;
  auto* entry = reinterpret_cast<const OrtBase* (*)() noexcept>(::dlsym(handle, kOrtEntry));
  if (entry == nullptr) {
    problem_ = fmt::format("{} is no ONNX Runtime: it lacks {}", path, kOrtEntry);
    return false;
  }
  const OrtBase& base = *entry();
  version_ = base.get_version_string();
  // get_api() itself prints where it has no such version.
  unsigned major = 0;
  unsigned minor = 0;
  const bool numbers = std::sscanf(version_.c_str(), "%u.%u", &major, &minor) == 2;
  if (numbers && (major > 1 || minor >= kOrtVersion)) functions_ = base.get_api(kOrtVersion);
  if (functions_ != nullptr) return true;
  problem_ =
      fmt::format("{} is ONNX Runtime {}; it has to be 1.{} or newer", path, version_, kOrtVersion);
  return false;
}

const OrtFunctions& require_onnx_runtime(const fs::path& file) {
  const OnnxRuntimeLibrary& library = OnnxRuntimeLibrary::find();
  if (library.functions() != nullptr) return *library.functions();
  throw Error(
      ErrorKind::unsupported, "ONNX Runtime is missing: " + library.problem(),
      {.file = file.string(),
       .hint = fmt::format("pip install onnxruntime, and let {} name the folder of its {}.*; "
                           "Kobolt's own engine runs the checkpoint that the graphs were "
                           "exported from and needs nothing",
                           kVariable, kName)});
}

}  // namespace kobolt
