#pragma once

#include <cstdint>
#include <string_view>

namespace kobolt {

/// The operations that torch.save's pickles (protocol 2) consist of.
enum class Opcode : std::uint8_t {
  mark = '(',
  stop = '.',
  bin_float = 'G',
  bin_int = 'J',
  bin_int1 = 'K',
  bin_int2 = 'M',
  none = 'N',
  bin_persid = 'Q',
  reduce = 'R',
  bin_unicode = 'X',
  append = 'a',
  build = 'b',
  global = 'c',
  appends = 'e',
  bin_get = 'h',
  long_bin_get = 'j',
  bin_put = 'q',
  long_bin_put = 'r',
  set_item = 's',
  tuple = 't',
  set_items = 'u',
  empty_tuple = ')',
  empty_list = ']',
  empty_dict = '}',
  proto = 0x80,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  new_true = 0x88,
  new_false = 0x89,
  long1 = 0x8A,
};

/// The name that Python's pickletools has for any opcode, known here or not; "unknown" for bytes
/// that are none.
std::string_view name_of_opcode(std::uint8_t code);

}  // namespace kobolt
