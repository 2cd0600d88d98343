#pragma once

#include <string>

namespace kobolt {

/// Loads somebody else's library, as dlopen() does, but for whose symbols it finds first: those of
/// the library itself and of what it depends on, not the program's. Debian's libsentencepiece, for
/// one, exports an old protobuf, and a LibTorch that calls that in place of its own crashes. Null
/// with dlerror() where it cannot be loaded.
void* load_library(const std::string& path);

}  // namespace kobolt
