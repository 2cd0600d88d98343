#include "benchmark/ratio_interval.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace kobolt {
namespace {

// Probabilities of Wilcoxon's statistic being 0, 1, ... up to half of its range, which is all that
// a tail needs: each rank counts or does not, both with probability one half.
std::vector<double> signed_rank_distribution(std::size_t rounds) {
  std::vector<double> probability(rounds * (rounds + 1) / 4 + 1, 0.0);
  probability[0] = 1;
  for (std::size_t rank = 1; rank <= rounds; ++rank) {
    for (std::size_t sum = probability.size(); sum-- > 0;) {
      const double without = probability[sum];
      probability[sum] = (without + (sum >= rank ? probability[sum - rank] : 0.0)) / 2;
    }
  }
  return probability;
}

struct Tail {
  std::size_t left_out = 0;  // averages outside of the interval at each end
  double confidence = 0;
};

// As many averages left out as `confidence` permits. The interval from the (k+1)th smallest to the
// (k+1)th largest misses the truth with twice the probability of a statistic of at most k.
Tail tail_for(std::size_t rounds, double confidence) {
  const std::vector<double> probability = signed_rank_distribution(rounds);
  const double allowed = (1 - confidence) / 2;
  double below = probability[0];
  Tail tail{.confidence = 1 - 2 * below};
  for (std::size_t k = 1; k < probability.size() && below + probability[k] <= allowed; ++k) {
    below += probability[k];
    tail = {.left_out = k, .confidence = 1 - 2 * below};
  }
  return tail;
}

}  // namespace

RatioInterval ratio_interval(std::span<const double> numerator, std::span<const double> denominator,
                             double confidence) {
  const std::size_t rounds = numerator.size();
  std::vector<double> logs;
  for (std::size_t i = 0; i < rounds; ++i) logs.push_back(std::log(numerator[i] / denominator[i]));
  std::vector<double> averages;
  averages.reserve(rounds * (rounds + 1) / 2);
  for (std::size_t i = 0; i < rounds; ++i) {
    for (std::size_t j = i; j < rounds; ++j) averages.push_back((logs[i] + logs[j]) / 2);
  }
  std::ranges::sort(averages);
  const std::size_t count = averages.size();
  const Tail tail = tail_for(rounds, confidence);
  const double middle = (averages[(count - 1) / 2] + averages[count / 2]) / 2;
  return {.low = std::exp(averages[tail.left_out]),
          .ratio = std::exp(middle),
          .high = std::exp(averages[count - 1 - tail.left_out]),
          .confidence = tail.confidence};
}

int least_rounds(double confidence) {
  int rounds = 1;
  while (1 - std::ldexp(1.0, 1 - rounds) < confidence) ++rounds;
  return rounds;
}

}  // namespace kobolt
