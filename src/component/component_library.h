#pragma once

#include <string>

namespace kobolt {

/// A part of Kobolt that needs a large library of somebody else, and so is a library of its own,
/// libkobolt_NAME.so: nobody else waits for that library to load. Found once a process, never
/// unloaded.
class ComponentLibrary {
 public:
  /// Looks in the folder that the environment variable KOBOLT_COMPONENTS names, beside the file
  /// that holds this code, and in the library folder beside that one.
  static const ComponentLibrary& find(const std::string& name);

  /// What kobolt_component() of the library has returned, null where there is none.
  [[nodiscard]] void* instance() const { return instance_; }
  [[nodiscard]] const std::string& library() const { return library_; }  ///< path; empty: none
  /// Why there is none: what the loader said, or that there is no such library.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  void load(const std::string& path);

  void* instance_ = nullptr;
  std::string library_;
  std::string problem_;
};

/// The functions that a component's library defines with C names: const char* (), its version,
/// which must be this library's, since what they share is C++ and no contract; and void* (), what
/// it offers, of a type that both know.
inline constexpr const char* kComponentVersion = "kobolt_component_version";
inline constexpr const char* kComponentEntry = "kobolt_component";

}  // namespace kobolt
