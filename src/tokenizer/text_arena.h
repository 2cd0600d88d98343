#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace kobolt::text {

/// Storage for the texts that one encode call makes on its way; views into it stay valid until
/// clear(), which keeps the memory for the next call.
class TextArena {
 public:
  /// Room for `size` bytes.
  char* allocate(std::size_t size);
  /// Gives back what the latest allocate() did not need.
  void shrink_last(std::size_t unused) { used_ -= unused; }
  std::string_view store(std::string_view text);
  void clear();

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  std::vector<Block> blocks_;
  std::size_t current_ = 0;  ///< block in use
  std::size_t used_ = 0;     ///< bytes of it
};

}  // namespace kobolt::text
