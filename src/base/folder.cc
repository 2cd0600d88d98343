#include "base/folder.h"

#include <system_error>

#include "kobolt/error.h"

namespace kobolt {

void make_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (!failure) return;
  throw Error(ErrorKind::io, "cannot make the folder: " + failure.message(),
              {.file = folder.string()});
}

}  // namespace kobolt
