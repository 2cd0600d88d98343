#include "runtime/later_large_pages.h"

#include <cstddef>
#include <utility>

#include "base/large_pages.h"
#include "base/machine.h"

namespace kobolt {
namespace {

// A copy takes as long as reading the weights two or three times; large pages save a tenth to a
// third of each step of few rows.
constexpr int kStepsThatPay = 32;
// Smaller files stay in the caches of most processors, and of their translations.
constexpr std::size_t kWorthIt = std::size_t{32} << 20U;
// The page cache holds the file as well, and other processes may have copies of their own.
constexpr std::size_t kPartOfMemory = 4;

bool pays(const MappedFile& file) {
  const std::size_t bytes = file.bytes().size();
  return bytes >= kWorthIt && large_pages_granted() && available_memory() / kPartOfMemory >= bytes;
}

}  // namespace

LaterLargePages::LaterLargePages(std::shared_ptr<const MappedFile> file, Pages pages)
    : file_(std::move(file)) {
  if (!file_) return;
  if (pages == Pages::large) file_->move_to_large_pages();
  if (pages == Pages::automatic && pays(*file_)) reading_left_ = kStepsThatPay * kReadingOfFew;
}

void LaterLargePages::begin() {
  mover_ = std::jthread(
      [file = file_](const std::stop_token& stop) { file->move_to_large_pages(stop); });
}

}  // namespace kobolt
