#include "component/component_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/presence.h"
#include "base/shared_library.h"
#include "kobolt/version.h"

namespace kobolt {
namespace {

std::filesystem::path own_folder() {
  Dl_info info{};
  static const char marker = 0;
  if (::dladdr(&marker, &info) == 0 || info.dli_fname == nullptr) return {};
  return std::filesystem::path(info.dli_fname).parent_path();
}

std::vector<std::filesystem::path> folders() {
  std::vector<std::filesystem::path> folders;
  if (const char* named = std::getenv("KOBOLT_COMPONENTS")) folders.emplace_back(named);
  const std::filesystem::path own = own_folder();
  folders.push_back(own);
  folders.push_back(own / ".." / KOBOLT_LIBRARY_FOLDER);
  return folders;
}

std::string loader_message() {
  const char* message = ::dlerror();
  return message == nullptr ? "unknown error" : message;
}

}  // namespace

const ComponentLibrary& ComponentLibrary::find(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, ComponentLibrary> known;
  const std::lock_guard lock(mutex);
  const auto [found, first] = known.try_emplace(name);
  ComponentLibrary& component = found->second;
  if (!first) return component;
  const std::string file = "libkobolt_" + name + ".so";
  for (const std::filesystem::path& folder : folders()) {
    if (may_exist(folder / file)) {
      component.load((folder / file).string());
      return component;
    }
  }
  component.problem_ = "this Kobolt was built without it (there is no " + file + ")";
  return component;
}

void ComponentLibrary::load(const std::string& path) {
  void* handle = load_library(path);
  if (handle == nullptr) {
    problem_ = loader_message();
    return;
  }
  auto* version_of = reinterpret_cast<const char* (*)()>(::dlsym(handle, kComponentVersion));
  auto* entry = reinterpret_cast<void* (*)()>(::dlsym(handle, kComponentEntry));
  if (version_of == nullptr || entry == nullptr) {
    problem_ = path + " is no component of Kobolt";
  } else if (std::string_view(version_of()) != version()) {
    problem_ = path + " belongs to Kobolt " + version_of() + ", this is " + std::string(version());
  } else {
    library_ = path;
    instance_ = entry();
  }
}

}  // namespace kobolt
