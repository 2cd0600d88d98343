#pragma once

#include "kernels/kernel_table.h"

namespace kobolt::kernels {

// The kernels of one instruction set each, or null where this build or this processor lacks it.

/// AVX-512 (F, BW, DQ, VL) with VNNI and BF16.
const KernelTable* avx512_bf16_table();
/// AVX-512 (F, BW, DQ, VL) with VNNI.
const KernelTable* avx512_vnni_table();
/// AVX-512 (F, BW, DQ, VL).
const KernelTable* avx512_table();
/// AVX2 and FMA.
const KernelTable* avx2_table();
/// 64-bit Arm.
const KernelTable* neon_table();

// Whether this build has them, whatever the processor.
bool avx512_compiled();
bool avx2_compiled();
bool neon_compiled();

}  // namespace kobolt::kernels
