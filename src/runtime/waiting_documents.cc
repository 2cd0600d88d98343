#include "runtime/waiting_documents.h"

#include <algorithm>
#include <numeric>

namespace kobolt {
namespace {

/// Encoder tokens that fill the machine well.
constexpr std::size_t kGroupTokens = 512;

}  // namespace

WaitingDocuments::WaitingDocuments(std::span<const std::vector<std::int32_t>> documents)
    : documents_(documents), waiting_(documents.size()) {
  std::iota(waiting_.begin(), waiting_.end(), std::size_t{0});
  std::ranges::stable_sort(waiting_, [&](std::size_t a, std::size_t b) {
    return documents[a].size() < documents[b].size();
  });
}

void WaitingDocuments::take(std::size_t free, std::size_t places, std::vector<std::size_t>& taken) {
  taken.clear();
  const std::scoped_lock lock(mutex_);
  if (stopped()) return;
  const std::size_t count = std::min(free, waiting_.size());
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < count; ++i) {
    taken.push_back(waiting_[waiting_.size() - 1 - i]);
    tokens += documents_[taken.back()].size();
  }
  const bool idle = free == places;
  const bool worthwhile =
      tokens >= kGroupTokens || 4 * count >= places || count == waiting_.size() || idle;
  if (worthwhile) {
    waiting_.resize(waiting_.size() - count);
  } else {
    taken.clear();
  }
}

}  // namespace kobolt
