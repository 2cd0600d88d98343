#include "runtime/executor.h"

#include <algorithm>

namespace kobolt {
namespace {

// Rows of one task in a product of many rows. With k = 768 the task's rows (576 KB in fp32) pass
// through L2 in the kernel's own blocks, and one group of panels serves all of them from L3.
constexpr int kRowChunk = 192;
// Bytes of weights in one group of panels: both threads' groups stay in the 8 MB L3 while every
// chunk of rows passes over them.
constexpr std::int64_t kPanelGroupBytes = 2 << 20;
// Below this many rows a product reads weights faster than it computes: split by panels only, so
// that each weight is read once.
constexpr int kFewRows = 48;
// Tasks a thread in a few-rows product: enough to even out a disturbed thread, few enough that
// each reads a long run of memory.
constexpr int kPartsPerThread = 4;
// A task of fewer float operations is not worth handing to another thread.
constexpr std::int64_t kLeastWork = 16384;

}  // namespace

int Executor::part_count(int rows, std::int64_t row_cost) const {
  const std::int64_t by_work = std::max<std::int64_t>(1, rows * row_cost / kLeastWork);
  const std::int64_t by_threads =
      static_cast<std::int64_t>(pool_.threads()) * (pool_.threads() > 1 ? kPartsPerThread : 1);
  return static_cast<int>(std::min<std::int64_t>({by_work, by_threads, rows}));
}

Operand Executor::operand(const float* x, std::ptrdiff_t ldx, int m, int k) {
  Operand operand{.x = x, .ldx = ldx, .m = m};
  if (!quantized_) return operand;
  const std::ptrdiff_t ldq = 2 * static_cast<std::ptrdiff_t>(kernels::pairs(k));
  std::int16_t* q = reserve(q_, static_cast<std::size_t>(m * ldq));
  float* scales = reserve(scales_, static_cast<std::size_t>(m));
  rows(m, k, [&](int begin, int end, int) {
    kernels::quantize_rows(x + begin * ldx, ldx, end - begin, k, q + begin * ldq, ldq,
                           scales + begin);
  });
  operand.q = q;
  operand.ldq = ldq;
  operand.scales = scales;
  return operand;
}

Operand Executor::normalize(const Norm& norm, float epsilon, const float* x, float* y, int m,
                            int d) {
  Operand operand{.x = y, .ldx = d, .m = m};
  const std::ptrdiff_t ldq = 2 * static_cast<std::ptrdiff_t>(kernels::pairs(d));
  std::int16_t* q = quantized_ ? reserve(q_, static_cast<std::size_t>(m * ldq)) : nullptr;
  float* scales = quantized_ ? reserve(scales_, static_cast<std::size_t>(m)) : nullptr;
  rows(m, 4LL * d, [&](int begin, int end, int) {
    const std::ptrdiff_t offset = static_cast<std::ptrdiff_t>(begin) * d;
    kernels::layer_norm(x + offset, d, end - begin, d, norm.gamma, norm.beta, epsilon, y + offset,
                        d);
    if (q != nullptr) {
      kernels::quantize_rows(y + offset, d, end - begin, d, q + begin * ldq, ldq, scales + begin);
    }
  });
  operand.q = q;
  operand.ldq = ldq;
  operand.scales = scales;
  return operand;
}

void Executor::multiply(const Operand& operand, const Linear& linear, const Target& target,
                        int row_begin, int row_end, int panel_begin, int panel_end) const {
  const std::ptrdiff_t out = row_begin * target.ldy;
  const kernels::Epilogue epilogue{
      .bias = linear.bias,
      .activation = target.activation,
      .residual = target.residual == nullptr ? nullptr : target.residual + out,
      .ld_residual = target.ldy};
  if (linear.quantized) {
    kernels::gemm_i8(operand.q + row_begin * operand.ldq, operand.ldq, operand.scales + row_begin,
                     row_end - row_begin, linear.i8, panel_begin, panel_end, target.y + out,
                     target.ldy, epilogue);
  } else {
    kernels::gemm_f32(operand.x + row_begin * operand.ldx, operand.ldx, row_end - row_begin,
                      linear.f32, panel_begin, panel_end, target.y + out, target.ldy, epilogue);
  }
}

void Executor::linear(const Operand& operand, const Linear& linear, const Target& target) {
  const int panels = kernels::panels(linear.n());
  const int m = operand.m;
  if (m < kFewRows) {
    const std::int64_t row_cost = static_cast<std::int64_t>(m) * linear.k() * kernels::kPanel;
    rows(panels, row_cost,
         [&](int begin, int end, int) { multiply(operand, linear, target, 0, m, begin, end); });
    return;
  }
  const std::int64_t panel_bytes = static_cast<std::int64_t>(linear.k()) * kernels::kPanel *
                                   (linear.quantized ? 1 : static_cast<int>(sizeof(float)));
  const int group =
      static_cast<int>(std::clamp<std::int64_t>(kPanelGroupBytes / panel_bytes, 1, panels));
  const int groups = (panels + group - 1) / group;
  // At least two chunks a thread, or a thread would wait for the other one's last chunk.
  const int least_chunks = std::min(2 * pool_.threads(), (m + 5) / 6);
  const int chunks = std::max((m + kRowChunk - 1) / kRowChunk, least_chunks);
  pool_.parallel_for(groups * chunks, [&](int task, int) {
    const int which = task / chunks;
    const int chunk = task % chunks;
    multiply(operand, linear, target, split(m, chunks, chunk), split(m, chunks, chunk + 1),
             which * panels / groups, (which + 1) * panels / groups);
  });
}

}  // namespace kobolt
