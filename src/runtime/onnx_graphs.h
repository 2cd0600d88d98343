#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "onnxruntime/session.h"

namespace kobolt {

/// One of the tensors that a decoder passes to its next step.
struct OnnxCacheTensor {
  std::string name;    ///< "0.decoder.key", "0.encoder.value"
  bool grows = false;  ///< with every step; the others are the document's
};

/// The three graphs of a folder as docs/onnx.md and optimum name them, and which input and output
/// of each is what.
class OnnxGraphs {
 public:
  /// Throws Error naming the file that is missing, that ONNX Runtime refuses, or that has inputs or
  /// outputs of other names.
  OnnxGraphs(const std::filesystem::path& folder, int threads);

  [[nodiscard]] const std::vector<OnnxCacheTensor>& cache() const { return cache_; }
  /// Rows of every call, and tokens of every document, where the graphs fix them.
  [[nodiscard]] std::optional<int> batch() const { return batch_; }
  [[nodiscard]] std::optional<int> sequence() const { return sequence_; }
  [[nodiscard]] const OrtFunctions& functions() const { return encoder_.functions(); }
  [[nodiscard]] const OnnxSession& encoder() const { return encoder_; }
  /// Type of the cache's numbers.
  [[nodiscard]] OnnxElement cache_type() const;

  // R rows, S tokens of a document; ids and mask are int64.

  /// Hidden states [R, S, d_model] of ids and mask, both [R, S].
  OnnxTensor encode(const OnnxTensor& ids, const OnnxTensor& mask);
  /// Logits [R, 1, vocabulary] of tokens [R, 1] in the first step; `cache`, in the order of
  /// cache(), is filled.
  OnnxTensor first(const OnnxTensor& tokens, const OnnxTensor& mask, const OnnxTensor& hidden,
                   std::vector<OnnxTensor>& cache);
  /// The same in a later step; `cache` is renewed.
  OnnxTensor next(const OnnxTensor& tokens, const OnnxTensor& mask, std::vector<OnnxTensor>& cache);

 private:
  /// Where each input comes from, or each output goes to: places of `cache_`, or one of those
  /// below.
  using Roles = std::vector<int>;
  enum Role : int { kIds = -1, kMask = -2, kHidden = -3, kLogits = -4 };

  void find_cache();
  [[nodiscard]] Roles input_roles(const OnnxSession& graph) const;
  [[nodiscard]] Roles output_roles(const OnnxSession& graph) const;
  [[nodiscard]] std::optional<int> cached(const std::string& name, const std::string& prefix) const;
  OnnxTensor decode(OnnxSession& graph, const Roles& inputs, const Roles& outputs,
                    const OnnxTensor& tokens, const OnnxTensor& mask, const OnnxTensor* hidden,
                    std::vector<OnnxTensor>& cache);

  OnnxSession encoder_;
  OnnxSession decoder_;
  OnnxSession decoder_with_past_;
  std::vector<OnnxCacheTensor> cache_;
  std::optional<int> batch_;
  std::optional<int> sequence_;
  Roles encoder_inputs_;
  Roles first_inputs_, first_outputs_;
  Roles next_inputs_, next_outputs_;
  std::vector<const OnnxTensor*> passed_;  // of the call in progress
};

}  // namespace kobolt
