#include "tokenizer/text_arena.h"

#include <algorithm>
#include <cstring>

namespace kobolt::text {
namespace {

constexpr std::size_t block_size = std::size_t{64} << 10U;
constexpr std::size_t kept_size = std::size_t{1} << 20U;  // an unusually long text is not kept

}  // namespace

char* TextArena::allocate(std::size_t size) {
  while (current_ < blocks_.size() && blocks_[current_].size - used_ < size) {
    ++current_;
    used_ = 0;
  }
  if (current_ == blocks_.size()) {
    const std::size_t bytes = std::max(block_size, size);
    blocks_.push_back({std::make_unique<char[]>(bytes), bytes});
  }
  char* result = blocks_[current_].bytes.get() + used_;
  used_ += size;
  return result;
}

std::string_view TextArena::store(std::string_view text) {
  if (text.empty()) return {};
  char* bytes = allocate(text.size());
  std::memcpy(bytes, text.data(), text.size());
  return {bytes, text.size()};
}

void TextArena::clear() {
  std::size_t total = 0;
  std::size_t keep = 0;
  while (keep < blocks_.size() && total + blocks_[keep].size <= kept_size) {
    total += blocks_[keep++].size;
  }
  blocks_.resize(keep);
  current_ = 0;
  used_ = 0;
}

}  // namespace kobolt::text
