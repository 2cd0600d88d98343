#include "cli/engine_flags.h"

namespace kobolt::cli {

void EngineFlags::add(CLI::App& command) {
  command
      .add_option("--kv-cache", kv_cache_,
                  "Cached keys and values in fp32, fp16 or int8; auto: fp32 for an fp32 engine, "
                  "int8 for int8 and int4, else fp16")
      ->check(CLI::IsMember({"auto", "fp32", "fp16", "int8"}))
      ->capture_default_str();
  command
      .add_option(
          "--backend", backend_,
          "auto: what the file is for, Kobolt's own engine for Hugging Face folders; torch: "
          "LibTorch, an "
          "operation at a time, for a Hugging Face folder; onnxruntime: ONNX Runtime, for a folder "
          "with graphs of kobolt export --onnx (docs/backends.md)")
      ->check(CLI::IsMember({"auto", "torch", "onnxruntime"}))
      ->capture_default_str();
  command
      .add_option("--pages", pages_,
                  "Where an engine file is: mapped, shared with other processes; large: copied to "
                  "large pages of this one, which steps read faster; auto: mapped at first, large "
                  "once that pays, for files that leave room in memory")
      ->check(CLI::IsMember({"auto", "mapped", "large"}))
      ->capture_default_str();
  command.add_flag("--pin", pin_,
                   "Keep each worker thread on one core: steadier times on a machine of one's own");
}

EngineOptions EngineFlags::options(int threads) const {
  return {.threads = threads,
          .backend = engine_backend_from_name(backend_),
          .kv_cache = kv_cache_from_name(kv_cache_),
          .pin = pin_,
          .pages = pages_from_name(pages_)};
}

}  // namespace kobolt::cli
