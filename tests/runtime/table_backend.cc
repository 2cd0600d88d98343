#include "runtime/table_backend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace kobolt {
namespace {

std::uint32_t combine(std::uint32_t h, std::uint32_t value) {
  h = (h ^ value) * 0x9E3779B1U;
  h += 0x7F4A7C15U;
  h ^= h >> 16U;
  h *= 0x85EBCA6BU;
  h ^= h >> 13U;
  h *= 0xC2B2AE35U;
  return h ^ (h >> 16U);
}

std::uint32_t fold(std::uint32_t seed, const std::vector<std::int32_t>& tokens) {
  std::uint32_t h = seed;
  for (const std::int32_t token : tokens) h = combine(h, static_cast<std::uint32_t>(token));
  return h;
}

float unit(std::uint32_t h) { return static_cast<float>(h >> 12U) * 0x1p-20F; }

// Every sum and product is exact in float32 up to the last addition, which rounds alike everywhere.
void fill_logits(std::uint32_t document, const std::vector<std::int32_t>& sequence, float* out) {
  const auto position = static_cast<std::uint32_t>(sequence.size() - 1);
  const std::uint32_t previous =
      combine(combine(document, 11), static_cast<std::uint32_t>(sequence.back()));
  const std::uint32_t by_position = combine(combine(document, 12), position);
  const std::uint32_t history = combine(fold(2, sequence), document);
  for (std::uint32_t token = 0; token < TableBackend::kVocabulary; ++token) {
    const float first = 6.0F * unit(combine(previous, token));
    const float second = 2.0F * unit(combine(by_position, token));
    out[token] = first + second;
    out[token] += unit(combine(history, token));
  }
  out[1] += 0.25F * static_cast<float>(position);
  out[2] += 0.125F * static_cast<float>(position);
}

}  // namespace

std::vector<DocumentHandle> TableBackend::encode(
    std::span<const std::vector<std::int32_t>> documents, int max_rows, int max_length) {
  std::vector<DocumentHandle> handles;
  for (const auto& document : documents) {
    const auto free = std::ranges::find(states_, false, &State::in_use);
    const auto index = static_cast<std::size_t>(free - states_.begin());
    if (free == states_.end()) states_.emplace_back();
    states_[index] = {.hash = fold(1, document),
                      .sequences = {{}},
                      .max_rows = max_rows,
                      .max_length = max_length,
                      .in_use = true};
    handles.push_back(static_cast<DocumentHandle>(index));
    ++held_;
  }
  return handles;
}

void TableBackend::step(std::span<const StepRow> rows, std::span<float> logits) {
  if (steps_++ == fail_at_step) throw std::runtime_error("the back end failed");
  most_rows_ = std::max(most_rows_, static_cast<int>(rows.size()));
  ASSERT_EQ(logits.size(), rows.size() * kVocabulary);
  std::set<DocumentHandle> seen;
  for (std::size_t begin = 0; begin < rows.size();) {
    const DocumentHandle handle = rows[begin].document;
    ASSERT_TRUE(seen.insert(handle).second) << "rows of a document must be adjacent";
    State& state = states_.at(static_cast<std::size_t>(handle));
    ASSERT_TRUE(state.in_use);
    std::vector<std::vector<std::int32_t>> next;
    std::size_t end = begin;
    for (; end < rows.size() && rows[end].document == handle; ++end) {
      next.push_back(state.sequences.at(static_cast<std::size_t>(rows[end].parent)));
      next.back().push_back(rows[end].token);
      fill_logits(state.hash, next.back(), logits.data() + end * kVocabulary);
    }
    ASSERT_LE(static_cast<int>(next.size()), state.max_rows);
    ASSERT_LE(static_cast<int>(next[0].size()), state.max_length);
    state.sequences = std::move(next);
    begin = end;
  }
}

void TableBackend::release(DocumentHandle document) {
  State& state = states_.at(static_cast<std::size_t>(document));
  EXPECT_TRUE(state.in_use);
  state.in_use = false;
  --held_;
}

}  // namespace kobolt
