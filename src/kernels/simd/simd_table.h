#pragma once

#include "kernels/kernel_table.h"

namespace kobolt::kernels {

/// The AVX2 + FMA kernels, or null where this build or this processor lacks them.
const KernelTable* avx2_table();

}  // namespace kobolt::kernels
