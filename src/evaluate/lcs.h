#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kobolt {

using TokenId = std::uint32_t;

/// Length of the longest common subsequence. Bit-parallel: |a| * |b| / 64 steps, memory linear in
/// both (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004).
std::size_t lcs_length(std::span<const TokenId> a, std::span<const TokenId> b);

/// Marks in `hit` (one flag a token of `reference`) the members of one longest common subsequence:
/// of the several that may exist, the one that rouge-score reads out of its table, so that the
/// union over sentences is the same. Steps as lcs_length twice; memory |candidate| *
/// sqrt(|reference|) bits.
void mark_lcs(std::span<const TokenId> reference, std::span<const TokenId> candidate,
              std::vector<bool>& hit);

}  // namespace kobolt
