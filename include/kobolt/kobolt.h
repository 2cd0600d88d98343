#pragma once

/// Everything: load, compile, run, evaluate, benchmark.
#include "kobolt/benchmark.h"
#include "kobolt/calibration.h"
#include "kobolt/compile.h"
#include "kobolt/doctor.h"
#include "kobolt/error.h"
#include "kobolt/evaluate.h"
#include "kobolt/generation_config.h"
#include "kobolt/inspect.h"
#include "kobolt/kv_cache.h"
#include "kobolt/mask.h"
#include "kobolt/model.h"
#include "kobolt/prune.h"
#include "kobolt/summarizer.h"
#include "kobolt/tensor.h"
#include "kobolt/tokenizer.h"
#include "kobolt/version.h"
