#include "export/tensorrt/profile.h"

#include <fmt/format.h>

#include "kobolt/error.h"

namespace kobolt {
namespace {

void check_size(const char* field, int value, int most, const char* hint) {
  if (value >= 1 && value <= most) return;
  throw Error(ErrorKind::invalid_argument, "the input shape is not possible",
              {.field = field,
               .found = std::to_string(value),
               .expected = fmt::format("1 to {}", most),
               .hint = hint});
}

}  // namespace

TensorRTProfile profile_of(const ModelConfig& model, const TensorRTOptions& options,
                           TensorRTShape shape, bool dynamic_axes) {
  check_size("batch", shape.batch, options.max_batch_size, "raise max_batch_size");
  check_size("sequence", shape.sequence, model.max_positions,
             "the model has no positions for more tokens");
  TensorRTProfile profile{.batch = shape.batch,
                          .max_batch = options.max_batch_size,
                          .sequence = shape.sequence,
                          .max_sequence = model.max_positions,
                          .max_positions = model.max_positions};
  if (!dynamic_axes) {
    profile.min_batch = profile.max_batch = shape.batch;
    profile.min_sequence = profile.max_sequence = shape.sequence;
  }
  return profile;
}

void require_inside(const TensorRTProfile& profile, TensorRTShape shape, const std::string& file) {
  const bool inside = shape.batch >= profile.min_batch && shape.batch <= profile.max_batch &&
                      shape.sequence >= profile.min_sequence &&
                      shape.sequence <= profile.max_sequence;
  if (inside) return;
  throw Error(ErrorKind::invalid_argument, "the shape lies outside of the engine's profile",
              {.file = file,
               .field = "batch x sequence",
               .found = fmt::format("{} x {}", shape.batch, shape.sequence),
               .expected = fmt::format("{} to {} x {} to {}", profile.min_batch, profile.max_batch,
                                       profile.min_sequence, profile.max_sequence),
               .hint = "convert with a larger max_batch_size, or with dynamic axes"});
}

}  // namespace kobolt
