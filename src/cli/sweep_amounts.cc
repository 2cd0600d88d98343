#include "cli/sweep_amounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "kobolt/error.h"

namespace kobolt::cli {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

[[noreturn]] void refuse_amounts(std::string_view list, const std::string& message) {
  throw Error(ErrorKind::invalid_argument, message,
              {.field = "sweep",
               .found = fmt::format("\"{}\"", list),
               .expected = "amounts from 0 to below 1, such as 0,0.1,...,0.6"});
}

double read_amount(const std::string& text, std::string_view list) {
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc() || end != text.data() + text.size()) {
    refuse_amounts(list, "not a list of amounts");
  }
  if (!(amount >= 0 && amount < 1)) refuse_amounts(list, "an amount that makes no sense");
  return amount;
}

// So that 3 steps of 0.1 are 0.3, in names of files as well.
double rounded(double amount) { return std::round(amount * 1e6) / 1e6; }

}  // namespace

std::vector<std::string> default_sweep_methods() {
  return {"magnitude",        "global",      "row+wanda", "global+16x1", "magnitude+16x1+wanda",
          "structured+whole", "global+whole"};
}

std::vector<double> sweep_amounts(std::string_view list) {
  std::vector<double> amounts;
  const std::vector<std::string> parts = split(list, ',');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] != "...") {
      amounts.push_back(read_amount(parts[i], list));
      continue;
    }
    const std::size_t known = amounts.size();
    if (known < 2 || parts[i - 1] == "..." || i + 1 == parts.size()) {
      refuse_amounts(list, "dots need two amounts before them and one behind");
    }
    const double first = amounts[known - 2];
    const double step = amounts[known - 1] - first;
    const double last = read_amount(parts[i + 1], list);
    if (!(step >= 1e-4) || !(last > amounts[known - 1])) {
      refuse_amounts(list, "dots go upwards, in steps of at least 0.0001");
    }
    for (int n = 2; first + n * step < last - step / 1e3; ++n) amounts.push_back(first + n * step);
  }
  for (double& amount : amounts) amount = rounded(amount);
  std::ranges::sort(amounts);
  amounts.erase(std::unique(amounts.begin(), amounts.end()), amounts.end());
  return amounts;
}

}  // namespace kobolt::cli
