#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "kernels/logit_sink.h"
#include "kobolt/model.h"
#include "runtime/backend.h"
#include "runtime/thread_pool.h"
#include "runtime/weights.h"

namespace kobolt {

/// Rows [m, k] to be multiplied. Whether they are multiplied as they are or quantised is up to
/// each matrix; the executor quantises them once, when the first one asks.
struct Operand {
  const float* x = nullptr;
  std::ptrdiff_t ldx = 0;
  int m = 0;
  int k = 0;
};

/// A matrix to write to, and what is added to the product first.
struct Target {
  float* y = nullptr;
  std::ptrdiff_t ldy = 0;
  Activation activation = Activation::none;
  const float* residual = nullptr;           ///< row distance ldy; may be y
  const kernels::LogitSink* sink = nullptr;  ///< takes the product instead of y
};

/// Told of each operand before a linear layer multiplies it, on the calling thread.
class LinearObserver {
 public:
  virtual ~LinearObserver() = default;
  virtual void before(const Operand& operand, const Linear& linear) = 0;
};

/// The kernels spread over threads: how rows and panels are split lives here and nowhere else.
class Executor {
 public:
  /// `row_format`: what every product will take, so normalize() makes it at once; floats if they
  /// differ.
  Executor(ThreadPool& pool, RowFormat row_format) : pool_(pool), row_format_(row_format) {}

  [[nodiscard]] ThreadPool& pool() const { return pool_; }
  /// `observer` outlives the executor or the next call; null = nobody.
  void observe(LinearObserver* observer) { observer_ = observer; }
  [[nodiscard]] bool observed() const { return observer_ != nullptr; }

  /// x [m, k] as an operand. Valid until the next call of operand or normalize.
  Operand operand(const float* x, std::ptrdiff_t ldx, int m, int k);
  /// y = layer_norm(x), and y as an operand; y may be x.
  Operand normalize(const Norm& norm, float epsilon, const float* x, float* y, int m, int d);
  /// y = activation(operand . W^T + bias) + residual.
  void linear(const Operand& operand, const Linear& linear, const Target& target);
  /// The best and the sum of each row of operand . W^T + bias, which is never stored: what is
  /// wanted of it is taken from each tile. Neither result depends on the number of threads or of
  /// rows. `summaries` has one element a row.
  void summarize(const Operand& operand, const Linear& linear, int count,
                 std::span<LogitSummary> summaries);
  /// Makes room for operands of up to `m` rows of `k` and for summaries of `m` rows: products of
  /// such rows then allocate nothing, summaries nothing from the second one of the same count on.
  void reserve_rows(int m, int k);
  /// Calls body(begin, end, thread) over parts of [0, rows) that are worth a thread's while when a
  /// row costs about `row_cost` float operations.
  template <typename Body>
  void rows(int rows, std::int64_t row_cost, Body&& body) {
    const int parts = part_count(rows, row_cost);
    pool_.parallel_for(parts, [&](int part, int thread) {
      body(split(rows, parts, part), split(rows, parts, part + 1), thread);
    });
  }

 private:
  [[nodiscard]] int part_count(int rows, std::int64_t row_cost) const;
  static int split(int count, int parts, int part) {
    return static_cast<int>(static_cast<std::int64_t>(count) * part / parts);
  }
  void reserve_quantized(RowFormat format, int m, int k);
  void quantize(RowFormat format, const Operand& operand, int begin, int end);
  /// Whether the newest operand has been quantised so.
  bool& valid(RowFormat format);
  void forget_quantized() { bf16_.valid = int16_.valid = bytes_.valid = false; }
  void quantize_if_needed(const Operand& operand, const Linear& linear);
  void multiply(const Operand& operand, const Linear& linear, const Target& target, int row_begin,
                int row_end, int panel_begin, int panel_end) const;

  ThreadPool& pool_;
  RowFormat row_format_;
  LinearObserver* observer_ = nullptr;
  // The newest operand in the formats that products have asked for.
  struct {
    bool valid = false;
    std::ptrdiff_t ld = 0;
    AlignedVector<std::uint16_t> q;
  } bf16_;
  struct {
    bool valid = false;
    std::ptrdiff_t ld = 0;
    AlignedVector<std::int16_t> q;
    AlignedVector<float> scales;
  } int16_;
  struct {
    bool valid = false;
    std::ptrdiff_t ld = 0;
    AlignedVector<std::uint8_t> q;
    AlignedVector<float> scales;
    AlignedVector<std::int32_t> zeros;
  } bytes_;
  // Of summarize().
  std::size_t most_rows_ = 0;
  AlignedVector<float> first_logits_;
  AlignedVector<float> logit_shifts_;
  AlignedVector<float> logit_sums_;
  AlignedVector<float> logit_bounds_;
  std::vector<kernels::LogitPart> logit_parts_;
  std::vector<float> best_values_;
  std::vector<std::int32_t> best_tokens_;
  std::vector<kernels::TopKHeap> best_;
  std::vector<Candidate> merged_;
};

/// Row distance of a matrix of `width` floats that a product writes. Rows a multiple of 4 KiB apart
/// would share the same few lines of the first cache, and a tile writes a piece of each of its
/// rows.
constexpr int row_distance(int width) {
  return width % 1024 == 0 ? width + kernels::kPanel : width;
}

/// Makes `vector` hold at least `size` elements; what was in it may be lost.
template <typename T>
T* reserve(AlignedVector<T>& vector, std::size_t size) {
  if (vector.size() < size) {
    vector.clear();  // growing would copy what nobody needs
    vector.resize(size);
  }
  return vector.data();
}

}  // namespace kobolt
