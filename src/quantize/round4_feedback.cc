#include "quantize/round4_feedback.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "base/float16.h"
#include "kernels/block4.h"
#include "kernels/round4.h"

namespace kobolt {
namespace {

using kernels::kGroup4;
using kernels::kPanel;

using Group = std::array<float, kGroup4>;

struct RoundedGroup {
  std::uint16_t scale = 0;  // bfloat16
  Group steps{};
  Group errors{};  // of the weights themselves: exact less rounded
  float cost = HUGE_VALF;
};

/// One output feature's weights of a group.
class GroupRounder {
 public:
  GroupRounder(const ErrorFeedback& feedback, int group) : feedback_(feedback), group_(group) {}

  /// `carried` is what the errors of groups before add to each weight.
  [[nodiscard]] RoundedGroup round(const Group& weights, const Group& carried) const {
    Group targets;
    for (std::size_t l = 0; l < kGroup4; ++l) targets[l] = weights[l] + carried[l];
    const auto scales = kernels::scales4(kernels::extreme_of(targets));
    RoundedGroup best;
    if (scales.front() == 0) {
      best.errors = weights;
      return best;
    }
    for (const std::uint16_t scale : scales) {
      const RoundedGroup tried = with_scale(scale, weights, targets);
      if (tried.cost < best.cost) best = tried;
    }
    return best;
  }

 private:
  [[nodiscard]] RoundedGroup with_scale(std::uint16_t stored, const Group& weights,
                                        const Group& carried_targets) const {
    RoundedGroup rounded{.scale = stored, .cost = 0};
    const float scale = f32_from_bf16(stored);
    const float inverse = 1.0F / scale;
    Group targets = carried_targets;
    const float* costs = feedback_.costs(group_);
    const int inputs = std::min(kGroup4, feedback_.k() - group_ * kGroup4);
    for (int input = 0; input < inputs; ++input) {
      const auto l = static_cast<std::size_t>(input);
      const float step = kernels::rounded4(targets[l], inverse);
      const float lost = targets[l] - scale * step;
      rounded.steps[l] = step;
      rounded.cost += costs[input] * lost * lost;
      const float error = weights[l] - scale * step;
      rounded.errors[l] = error;
      const float* u = feedback_.within(group_, input);
      for (std::size_t later = 0; later < kGroup4; ++later) targets[later] += error * u[later];
    }
    return rounded;
  }

  const ErrorFeedback& feedback_;
  int group_;
};

/// The rows of one panel; those past n are zero.
class PanelRounder {
 public:
  PanelRounder(std::span<const float> weights, int n, int panel, const ErrorFeedback& feedback)
      : feedback_(feedback),
        k_(feedback.k()),
        rows_(std::min(kPanel, n - panel * kPanel)),
        exact_(kPanel * static_cast<std::size_t>(k_)),
        errors_(exact_.size()) {
    const auto first = static_cast<std::size_t>(panel) * exact_.size();
    std::ranges::copy(
        weights.subspan(first, static_cast<std::size_t>(rows_) * static_cast<std::size_t>(k_)),
        exact_.begin());
  }

  /// Writes the panel's blocks, which are zero.
  void round(std::uint8_t* blocks) {
    for (int group = 0; group < kernels::groups(k_); ++group) {
      const ErrorFeedback::GroupRows carried = feedback_.carried(errors_, group);
      const GroupRounder rounder(feedback_, group);
      const int inputs = std::min(kGroup4, k_ - group * kGroup4);
      std::uint8_t* block = blocks + static_cast<std::ptrdiff_t>(group) * kernels::kBlock4;
      for (int row = 0; row < rows_; ++row) {
        const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(row) * k_ + group * kGroup4;
        Group weights{};
        std::copy_n(exact_.begin() + place, inputs, weights.begin());
        const RoundedGroup rounded = rounder.round(weights, carried[static_cast<std::size_t>(row)]);
        std::copy_n(rounded.errors.begin(), inputs, errors_.begin() + place);
        kernels::set_block_scale(block, row, rounded.scale);
        for (int l = 0; l < inputs; ++l) {
          kernels::set_block_weight(block, row, l,
                                    static_cast<int>(rounded.steps[static_cast<std::size_t>(l)]));
        }
      }
    }
  }

  [[nodiscard]] double signal() const { return feedback_.cost(exact_); }
  [[nodiscard]] double noise() const { return feedback_.cost(errors_); }
  [[nodiscard]] double plain_noise() const {
    std::vector<std::uint8_t> packed(kernels::packed_i4_size(rows_, k_));
    kernels::pack_i4(exact_.data(), k_, rows_, k_, packed.data());
    std::vector<float> errors = exact_;
    std::vector<float> rounded(static_cast<std::size_t>(k_));
    for (int row = 0; row < rows_; ++row) {
      kernels::unpack_i4_row({.data = packed.data(), .n = rows_, .k = k_}, row, rounded.data());
      float* left = errors.data() + static_cast<std::ptrdiff_t>(row) * k_;
      for (int l = 0; l < k_; ++l) left[l] -= rounded[static_cast<std::size_t>(l)];
    }
    return feedback_.cost(errors);
  }

 private:
  const ErrorFeedback& feedback_;
  int k_;
  int rows_;
  std::vector<float> exact_;   // [16, k]
  std::vector<float> errors_;  // [16, k]
};

}  // namespace

FeedbackRounding round_with_feedback(std::span<const float> weights, int n,
                                     const ErrorFeedback& feedback, ThreadPool& pool) {
  const std::size_t panel_bytes = kernels::packed_i4_size(kPanel, feedback.k());
  FeedbackRounding result{.blocks =
                              std::vector<std::uint8_t>(kernels::packed_i4_size(n, feedback.k()))};
  const int panels = kernels::panels(n);
  std::vector<FeedbackRounding> parts(static_cast<std::size_t>(panels));
  pool.parallel_for(panels, [&](int panel, int) {
    PanelRounder rounder(weights, n, panel, feedback);
    const auto place = static_cast<std::size_t>(panel);
    rounder.round(result.blocks.data() + place * panel_bytes);
    parts[place].signal = rounder.signal();
    parts[place].plain_noise = rounder.plain_noise();
    parts[place].noise = rounder.noise();
  });
  for (const FeedbackRounding& part : parts) {
    result.signal += part.signal;
    result.plain_noise += part.plain_noise;
    result.noise += part.noise;
  }
  return result;
}

}  // namespace kobolt
