#include "runtime/executor.h"

#include <algorithm>

#include "kernels/processor.h"

namespace kobolt {
namespace {

// Rows of one task in a product of many rows. With k = 768 the task's rows (576 KB in fp32) pass
// through L2 in the kernel's own blocks, and one group of panels serves all of them from L3.
constexpr int kRowChunk = 192;
// The same where weights are put in order for each task: rows of bytes, which take a quarter of the
// room.
constexpr int kOrderedRowChunk = 512;
// Bytes of weights in one group of panels: both threads' groups stay in the 8 MB L3 while every
// chunk of rows passes over them.
constexpr std::int64_t kPanelGroupBytes = 2 << 20;
// Up to this many rows a product is split by panels only, so that each weight is read, and brought
// into the form that the kernel wants, once.
constexpr int kFewRows = 144;
// Tasks a thread in a few-rows product: enough to even out a disturbed thread, few enough that
// each reads a long run of memory.
constexpr int kPartsPerThread = 4;
// The same in a product of many rows: where the host of a virtual machine lends a core to others,
// one thread may be half as fast as the next, and a task is how long the others wait for it.
constexpr int kTasksPerThread = 8;
// But a task has panels enough that its rows, which it reads for each, are worth bringing to L2.
constexpr int kLeastPanels = 16;
// A task of fewer float operations is not worth handing to another thread.
constexpr std::int64_t kLeastWork = 16384;

// Rows of the smallest chunk.
constexpr int kRowTile = 6;

/// As few parts as can be, of at most `most`.
constexpr int parts_of(int total, int most) { return (total + most - 1) / most; }

/// One function of several, for std::visit.
template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace

int Executor::part_count(int rows, std::int64_t row_cost) const {
  const std::int64_t by_work = std::max<std::int64_t>(1, rows * row_cost / kLeastWork);
  const int threads = pool_.free_threads();
  const std::int64_t by_threads =
      static_cast<std::int64_t>(threads) * (threads > 1 ? kPartsPerThread : 1);
  return static_cast<int>(std::min<std::int64_t>({by_work, by_threads, rows}));
}

void Executor::reserve_quantized(RowFormat format, int m, int k) {
  const auto rows = static_cast<std::size_t>(m);
  if (format == RowFormat::bf16) {
    bf16_.ld = static_cast<std::ptrdiff_t>(kernels::pairs(k)) * 2;
    reserve(bf16_.q, rows * static_cast<std::size_t>(bf16_.ld));
  } else if (format == RowFormat::int16) {
    int16_.ld = static_cast<std::ptrdiff_t>(kernels::pairs(k)) * 2;
    reserve(int16_.q, rows * static_cast<std::size_t>(int16_.ld));
    reserve(int16_.scales, rows);
  } else if (format == RowFormat::bytes) {
    bytes_.ld = static_cast<std::ptrdiff_t>(kernels::groups(k)) * kernels::kGroup4;
    reserve(bytes_.q, rows * static_cast<std::size_t>(bytes_.ld));
    reserve(bytes_.scales, rows);
    reserve(bytes_.zeros, rows);
  }
}

void Executor::reserve_rows(int m, int k) {
  most_rows_ = std::max(most_rows_, static_cast<std::size_t>(m));
  forget_quantized();
  for (const RowFormat format : {RowFormat::bf16, RowFormat::int16, RowFormat::bytes}) {
    reserve_quantized(format, m, k);
  }
}

bool& Executor::valid(RowFormat format) {
  return format == RowFormat::bf16    ? bf16_.valid
         : format == RowFormat::int16 ? int16_.valid
                                      : bytes_.valid;
}

void Executor::quantize(RowFormat format, const Operand& operand, int begin, int end) {
  const float* x = operand.x + begin * operand.ldx;
  if (format == RowFormat::bf16) {
    kernels::round_rows_bf16(x, operand.ldx, end - begin, operand.k,
                             bf16_.q.data() + begin * bf16_.ld, bf16_.ld);
    return;
  }
  if (format == RowFormat::bytes) {
    const std::ptrdiff_t ld = bytes_.ld;
    std::uint8_t* q = bytes_.q.data() + begin * ld;
    kernels::quantize_rows_u8(x, operand.ldx, end - begin, operand.k, q, ld,
                              bytes_.scales.data() + begin, bytes_.zeros.data() + begin);
    // gemm_u8_i4 reads whole groups.
    const std::ptrdiff_t written = 4 * static_cast<std::ptrdiff_t>(kernels::quads(operand.k));
    for (int i = 0; i < end - begin && written < ld; ++i) {
      std::fill(q + i * ld + written, q + (i + 1) * ld, std::uint8_t{0});
    }
    return;
  }
  kernels::quantize_rows(x, operand.ldx, end - begin, operand.k,
                         int16_.q.data() + begin * int16_.ld, int16_.ld,
                         int16_.scales.data() + begin);
}

Operand Executor::operand(const float* x, std::ptrdiff_t ldx, int m, int k) {
  forget_quantized();
  return {.x = x, .ldx = ldx, .m = m, .k = k};
}

Operand Executor::normalize(const Norm& norm, float epsilon, const float* x, float* y, int m,
                            int d) {
  const Operand result = operand(y, d, m, d);
  const bool quantized = row_format_ != RowFormat::floats;
  reserve_quantized(row_format_, m, d);
  rows(m, 4LL * d, [&](int begin, int end, int) {
    const std::ptrdiff_t offset = static_cast<std::ptrdiff_t>(begin) * d;
    kernels::layer_norm(x + offset, d, end - begin, d, norm.gamma, norm.beta, epsilon, y + offset,
                        d);
    if (quantized) quantize(row_format_, result, begin, end);
  });
  if (quantized) valid(row_format_) = true;
  return result;
}

void Executor::quantize_if_needed(const Operand& operand, const Linear& linear) {
  const RowFormat format = linear.row_format();
  if (format == RowFormat::floats || valid(format)) return;
  reserve_quantized(format, operand.m, operand.k);
  rows(operand.m, operand.k,
       [&](int begin, int end, int) { quantize(format, operand, begin, end); });
  valid(format) = true;
}

void Executor::multiply(const Operand& operand, const Linear& linear, const Target& target,
                        int row_begin, int row_end, int panel_begin, int panel_end) const {
  const std::ptrdiff_t out = row_begin * target.ldy;
  const int m = row_end - row_begin;
  float* c = target.y + out;
  const kernels::Epilogue epilogue{
      .bias = linear.bias,
      .activation = target.activation,
      .residual = target.residual == nullptr ? nullptr : target.residual + out,
      .ld_residual = target.ldy,
      .sink = target.sink};
  const float* x = operand.x + row_begin * operand.ldx;
  const std::uint16_t* halves = bf16_.q.data() + row_begin * bf16_.ld;
  const std::ptrdiff_t ldq = int16_.ld;
  const std::int16_t* q = int16_.q.data() + row_begin * ldq;
  const float* scales = int16_.scales.data() + row_begin;
  const kernels::RowsU8 bytes{.data = bytes_.q.data() + row_begin * bytes_.ld,
                              .ld = bytes_.ld,
                              .scales = bytes_.scales.data() + row_begin,
                              .zeros = bytes_.zeros.data() + row_begin};
  const auto by_format = Overloaded{
      [&](const kernels::PackedF32& w) {
        kernels::gemm_f32(x, operand.ldx, m, w, panel_begin, panel_end, c, target.ldy, epilogue);
      },
      [&](const kernels::PackedF16& w) {
        kernels::gemm_f16(x, operand.ldx, m, w, panel_begin, panel_end, c, target.ldy, epilogue);
      },
      [&](const kernels::PackedBF16& w) {
        if (linear.row_format() == RowFormat::bf16) {
          kernels::gemm_bf16_bf16(halves, bf16_.ld, m, w, panel_begin, panel_end, c, target.ldy,
                                  epilogue);
        } else {
          kernels::gemm_bf16(x, operand.ldx, m, w, panel_begin, panel_end, c, target.ldy, epilogue);
        }
      },
      [&](const kernels::PackedI8& w) {
        if (linear.row_format() == RowFormat::int16) {
          kernels::gemm_i8(q, ldq, scales, m, w, panel_begin, panel_end, c, target.ldy, epilogue);
        } else {
          kernels::gemm_u8_i8(bytes, m, w, panel_begin, panel_end, c, target.ldy, epilogue);
        }
      },
      [&](const kernels::PackedI4& w) {
        kernels::gemm_u8_i4(bytes, m, w, panel_begin, panel_end, c, target.ldy, epilogue);
      },
      [&](const kernels::SparseF32& w) {
        kernels::gemm_sparse_f32(x, operand.ldx, m, w, panel_begin, panel_end, c, target.ldy,
                                 epilogue);
      },
      [&](const kernels::SparseF16& w) {
        kernels::gemm_sparse_f16(x, operand.ldx, m, w, panel_begin, panel_end, c, target.ldy,
                                 epilogue);
      },
      [&](const kernels::SparseBF16& w) {
        if (linear.row_format() == RowFormat::bf16) {
          kernels::gemm_sparse_bf16_bf16(halves, bf16_.ld, m, w, panel_begin, panel_end, c,
                                         target.ldy, epilogue);
        } else {
          kernels::gemm_sparse_bf16(x, operand.ldx, m, w, panel_begin, panel_end, c, target.ldy,
                                    epilogue);
        }
      },
      [&](const kernels::SparseI8& w) {
        if (linear.row_format() == RowFormat::int16) {
          kernels::gemm_sparse_i8(q, ldq, scales, m, w, panel_begin, panel_end, c, target.ldy,
                                  epilogue);
        } else {
          kernels::gemm_sparse_u8_i8(bytes, m, w, panel_begin, panel_end, c, target.ldy, epilogue);
        }
      }};
  std::visit(by_format, linear.weight);
}

void Executor::linear(const Operand& operand, const Linear& linear, const Target& target) {
  const int panels = kernels::panels(linear.n());
  const int m = operand.m;
  if (panels == 0) return;
  if (observer_ != nullptr) observer_->before(operand, linear);
  quantize_if_needed(operand, linear);
  if (m <= kFewRows) {
    const std::int64_t row_cost = static_cast<std::int64_t>(m) * linear.k() * kernels::kPanel;
    rows(panels, row_cost,
         [&](int begin, int end, int) { multiply(operand, linear, target, 0, m, begin, end); });
    return;
  }
  const int threads = pool_.free_threads();
  const int tasks = threads == 1 ? 1 : threads * kTasksPerThread;
  // At least two chunks a thread, or a thread would wait for the other one's last chunk.
  const int least_chunks = threads == 1 ? 1 : 2 * threads;
  const bool ordered =
      linear.row_format() == RowFormat::bytes && kernels::permutes_instead_of_multiplying();
  const int tile_panels = kernels::prefers_wide_tiles() ? 3 : 2;  // whole tiles for each task
  const int most_groups = std::max(1, panels / (ordered ? tile_panels : kLeastPanels));
  const int chunks =
      ordered ? std::max(parts_of(m, kOrderedRowChunk), parts_of(least_chunks, most_groups))
              : std::max(parts_of(m, kRowChunk), std::min(least_chunks, parts_of(m, kRowTile)));
  const auto panels_of_group = static_cast<int>(std::clamp<std::int64_t>(
      kPanelGroupBytes / std::max<std::int64_t>(1, linear.panel_bytes()), 1, panels));
  const int groups =
      std::max(parts_of(panels, panels_of_group), std::min(tasks / chunks, most_groups));
  const auto panel = [&](int which) {
    return which == groups ? panels : which * panels / groups / tile_panels * tile_panels;
  };
  pool_.parallel_for(groups * chunks, [&](int task, int) {
    const int which = task / chunks;
    const int chunk = task % chunks;
    multiply(operand, linear, target, split(m, chunks, chunk), split(m, chunks, chunk + 1),
             panel(which), panel(which + 1));
  });
}

}  // namespace kobolt
