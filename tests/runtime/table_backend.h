#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "runtime/backend.h"

namespace kobolt {

/// A back end whose logits are an exact hash of document, position and history: the same function
/// as tests/golden/table_model.py, bit for bit, so that generation can be compared with
/// transformers by itself. It also checks that it is called as Backend asks.
class TableBackend : public Backend {
 public:
  static constexpr int kVocabulary = 48;
  static constexpr int kPositions = 40;

  [[nodiscard]] int vocab_size() const override { return kVocabulary; }
  [[nodiscard]] int max_positions() const override { return kPositions; }
  std::vector<DocumentHandle> encode(std::span<const std::vector<std::int32_t>> documents,
                                     int max_rows, int max_length) override;
  void step(std::span<const StepRow> rows, std::span<float> logits) override;
  void release(DocumentHandle document) override;

  [[nodiscard]] int held() const { return held_; }            ///< documents not released
  [[nodiscard]] int most_rows() const { return most_rows_; }  ///< in any step so far
  int fail_at_step = -1;  ///< throws std::runtime_error in that step

 private:
  struct State {
    std::uint32_t hash = 0;
    std::vector<std::vector<std::int32_t>> sequences;  // of the rows of the step before
    int max_rows = 0;
    int max_length = 0;
    bool in_use = false;
  };
  std::vector<State> states_;
  int held_ = 0;
  int most_rows_ = 0;
  int steps_ = 0;
};

}  // namespace kobolt
