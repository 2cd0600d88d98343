#pragma once

#include <cstdint>
#include <memory>
#include <thread>

#include "base/mapped_file.h"
#include "kobolt/summarizer.h"

namespace kobolt {

/// Moves a mapped engine file to large pages once that pays. A process that lives for one short
/// document never copies anything; one that has taken as many steps as a copy costs will take more.
class LaterLargePages {
 public:
  /// Nothing is ever moved for Pages::mapped or a null `file`; for Pages::large it is at once. For
  /// Pages::automatic not if the file is small enough for the caches anyway, or takes much of the
  /// memory that there is.
  LaterLargePages(std::shared_ptr<const MappedFile> file, Pages pages);

  /// A step of decoding was taken, of up to `rows` rows: many hide most of the reading behind
  /// arithmetic. One of them starts a thread that moves the file.
  void step(int rows) {
    if (reading_left_ <= 0) return;
    reading_left_ -= rows <= kFewRows ? kReadingOfFew : 1;
    if (reading_left_ <= 0) begin();
  }
  /// Whether that thread was started.
  [[nodiscard]] bool begun() const { return mover_.joinable(); }

 private:
  void begin();

  static constexpr int kFewRows = 16;
  static constexpr int kReadingOfFew = 16;  // that of many rows, which waits for less of it, is 1

  std::shared_ptr<const MappedFile> file_;
  int reading_left_ = 0;  // 0 or less: nothing is to be moved any more
  std::jthread mover_;    // the last member: it ends before the file is let go
};

}  // namespace kobolt
