#pragma once

#include <vector>

#include "runtime/generation_plan.h"
#include "runtime/score_row.h"

namespace kobolt {

/// What sampling may choose from, after temperature, top-k and top-p (TemperatureLogitsWarper,
/// TopKLogitsWarper, TopPLogitsWarper): scores divided by the temperature, best first where top-k
/// or top-p is on. Consumes `row`, like ScoreRow::top.
void sampling_candidates(ScoreRow& row, const GenerationPlan& plan, std::vector<Candidate>& out);

/// The candidate that the softmax over `candidates` gives for `uniform` in (0, 1).
/// `candidates` is not empty.
Candidate draw(const std::vector<Candidate>& candidates, double uniform);

}  // namespace kobolt
