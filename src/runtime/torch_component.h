#pragma once

#include <filesystem>

#include "kobolt/model.h"
#include "runtime/foreign_model.h"

namespace kobolt {

/// The library libkobolt_torch.so, which uses LibTorch. open() takes TorchScript files.
class TorchComponent : public BackendComponent {
 public:
  /// The model in LibTorch, an operation at a time: what PyTorch users start from.
  virtual ForeignModel eager(const Model& model, int threads) = 0;
  /// export_torchscript() of kobolt/torchscript.h.
  virtual void export_script(const Model& model, const std::filesystem::path& path) = 0;
};

/// Throws Error(unsupported), saying what is missing, where there is none.
TorchComponent& require_torch();

}  // namespace kobolt
