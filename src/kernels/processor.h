#pragma once

namespace kobolt::kernels {

// What the instruction sets of a processor do not tell: how fast it is at some of them. Its maker
// does. docs/processors.md has what was measured.

/// Whether permutations of 512 bits take one of the two places where products are computed, as on
/// Intel's processors. On AMD's they have places of their own, and cost nothing beside products.
bool permutes_instead_of_multiplying();

/// Whether products of many rows are computed in tiles of as many sums as registers hold, because a
/// core has two threads, which share what it decodes, and the other one may be somebody else's. On
/// AMD's processors smaller tiles were as fast or faster.
bool prefers_wide_tiles();

/// Whether products of bf16 pairs (vdpbf16ps) take longer than those of the floats they replace: on
/// Intel's processors four times as long as an FMA, for twice the operations.
bool slow_bf16_products();

}  // namespace kobolt::kernels
