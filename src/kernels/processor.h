#pragma once

namespace kobolt::kernels {

// What the instruction sets of a processor do not tell: how fast it is at some of them. Its maker
// does. docs/processors.md has what was measured.

/// Whether permutations of 512 bits take one of the two places where products are computed, as on
/// Intel's processors. On AMD's they have places of their own, and cost nothing beside products.
bool permutes_instead_of_multiplying();

/// XXX
bool few_instructions();

/// Whether products of bf16 pairs (vdpbf16ps) take longer than those of the floats they replace: on
/// Intel's processors four times as long as an FMA, for twice the operations.
bool slow_bf16_products();

}  // namespace kobolt::kernels
