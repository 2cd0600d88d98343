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

  /// A step of decoding was taken. One of them starts a thread that moves the file.
  void step() {
    if (steps_left_ > 0 && --steps_left_ == 0) begin();
  }

 private:
  void begin();

  std::shared_ptr<const MappedFile> file_;
  int steps_left_ = 0;  // 0 = nothing is to be moved any more
  std::jthread mover_;  // the last member: it ends before the file is let go
};

}  // namespace kobolt
