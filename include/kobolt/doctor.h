#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kobolt/export.h"

namespace kobolt {

/// One level of the processor's cache, as the first core sees it.
struct Cache {
  int level = 0;
  std::string type;         ///< "data", "instruction" or "unified"
  std::uint64_t bytes = 0;  ///< of one cache of this level
  int shared_by = 1;        ///< logical cores on one cache
};

/// One of the instruction sets that the kernels are written for.
struct KernelSet {
  std::string name;        ///< "AVX2"
  bool compiled = false;   ///< whether this build has it
  bool runs_here = false;  ///< whether this build on this processor can use it
  std::string tested;      ///< where the tests of this version have run it; empty: nowhere
};

/// A library that other back ends need, looked for by the names it is loaded under.
struct Component {
  std::string name;     ///< "LibTorch"
  std::string purpose;  ///< what Kobolt could do with it
  bool found = false;
  /// What was loaded: "libcudart.so.12", or Kobolt's back end where only that finds the library;
  /// empty where nothing was.
  std::string library;
  std::string version;  ///< as the library itself says; empty where it does not
  bool used = false;    ///< whether Kobolt has a back end for it here
  std::string note;     ///< what to know of that back end; empty: nothing
  std::string install;  ///< what to install to have it
};

/// What this machine offers to this process.
struct MachineReport {
  std::string processor;
  std::string architecture;  ///< "x86_64", "aarch64"
  int cores_online = 0;      ///< logical cores of the machine
  int cores_usable = 0;      ///< of them, what affinity and the control group's quota leave
  double cpu_quota = 0;      ///< cores that the control group allows; 0 = no limit
  std::vector<std::string> features;          ///< of those that matter here: "avx2", "f16c", ...
  std::vector<std::string> instruction_sets;  ///< kernels that can run here, best first
  std::vector<std::string> untested_instruction_sets;  ///< of them, those that no test has run yet
  std::string instruction_set;                         ///< kernels in use
  std::vector<KernelSet> kernel_sets;                  ///< all there are, best first
  std::vector<Cache> caches;
  std::uint64_t memory_total = 0;      ///< bytes
  std::uint64_t memory_available = 0;  ///< bytes that can be had without swapping
  std::uint64_t memory_limit = 0;      ///< bytes that the control group allows; 0 = no limit
  std::vector<Component> components;
};

/// Looks at the machine. What cannot be found out stays empty or zero; loads the libraries of
/// `components` for a moment.
KOBOLT_API MachineReport examine_machine();

}  // namespace kobolt
