#pragma once

#include <span>

namespace kobolt {

/// What int8 numbers from -127 to 127 in steps of clip / 127 keep of `values`: each becomes the
/// nearest step, of two equally near ones the even one, as QuantizeLinear of ONNX does.
void round_to_int8(std::span<float> values, float clip);

/// The largest |x|: the clip of a weight's row.
float largest_magnitude(std::span<const float> values);

/// 10 log10(signal / noise) in dB; infinite without noise.
double decibels(double signal, double noise);

}  // namespace kobolt
