#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/aligned.h"
#include "base/hash.h"
#include "format/engine_file.h"
#include "format/header.h"
#include "kernels/sparse.h"
#include "kobolt/error.h"
#include "runtime/embedding.h"
#include "runtime/executor.h"
#include "runtime/thread_pool.h"
#include "runtime/weights.h"

namespace {

using kobolt::AlignedVector;
using kobolt::EngineHeader;

// Opens an image and binds its weights, as running it would.
void open(const AlignedVector<std::byte>& image) {
  try {
    (void)kobolt::EngineWeights::bind(kobolt::EngineFile::from_memory(image, nullptr, "fuzz"));
  } catch (const kobolt::Error&) {
    // What a damaged file is expected to give.
  }
}

// Random changes would all stop at the checksums. So the input is also taken as a description with
// a body of zeros, and gets a header whose checksums are right.
AlignedVector<std::byte> with_valid_header(std::span<const std::byte> description,
                                           std::size_t body) {
  EngineHeader header;
  header.version = kobolt::kEngineFormatVersion;
  header.metadata_offset = sizeof(header) + body;
  header.metadata_size = description.size();
  header.metadata_hash = kobolt::hash64(description);
  header.file_size = header.metadata_offset + description.size();
  AlignedVector<std::byte> image(header.file_size);
  std::memset(image.data(), 0, image.size());
  std::memcpy(image.data(), &header, sizeof(header));
  header.header_hash = kobolt::hash64(std::span(image).first(offsetof(EngineHeader, header_hash)));
  std::memcpy(image.data(), &header, sizeof(header));
  if (!description.empty()) {
    std::memcpy(image.data() + header.metadata_offset, description.data(), description.size());
  }
  return image;
}

// The input as the content of a sparse matrix, whose layout and shape its first bytes choose, in a
// file that is right otherwise. What passes the check is multiplied: it must read nothing else.
void multiply_sparse(std::span<const std::byte> input) {
  constexpr std::array kSparse = {kobolt::Layout::blocks_f32,  kobolt::Layout::blocks_f16,
                                  kobolt::Layout::blocks_bf16, kobolt::Layout::blocks_i8,
                                  kobolt::Layout::values_f32,  kobolt::Layout::values_f16,
                                  kobolt::Layout::values_bf16, kobolt::Layout::values_i8};
  if (input.size() < 3) return;
  const kobolt::Layout layout = kSparse.at(std::to_integer<std::size_t>(input[0]) % kSparse.size());
  const int n = 1 + std::to_integer<int>(input[1]) % 64;
  const int k = std::to_integer<int>(input[2]);
  const std::array<std::int64_t, 2> shape = {n, k};
  // A buffer of exactly that size, so that a sanitizer sees every step beyond it.
  const AlignedVector<std::byte> content(input.begin() + 3, input.end());
  if (!kobolt::check_content(layout, shape, content).empty()) return;
  kobolt::Linear linear;
  const std::vector<float> scales(64, 1.0F);
  const auto form = kobolt::sparse_layout(layout)->form;
  const auto set = [&](const auto& whole) {
    linear.weight = kobolt::kernels::view_sparse(form, whole, content.data());
  };
  switch (layout) {
    case kobolt::Layout::blocks_f32:
    case kobolt::Layout::values_f32:
      set(kobolt::kernels::PackedF32{.n = n, .k = k});
      break;
    case kobolt::Layout::blocks_f16:
    case kobolt::Layout::values_f16:
      set(kobolt::kernels::PackedF16{.n = n, .k = k});
      break;
    case kobolt::Layout::blocks_bf16:
    case kobolt::Layout::values_bf16:
      set(kobolt::kernels::PackedBF16{.n = n, .k = k});
      break;
    default:
      set(kobolt::kernels::PackedI8{.scales = scales.data(), .n = n, .k = k});
      break;
  }
  static kobolt::ThreadPool pool(1);
  kobolt::Executor executor(pool, kobolt::RowFormat::floats);
  for (const int m : {1, 13}) {
    const std::vector<float> x(static_cast<std::size_t>(m) * static_cast<std::size_t>(k), 1.0F);
    std::vector<float> y(static_cast<std::size_t>(m) * static_cast<std::size_t>(n));
    executor.linear(executor.operand(x.data(), k, m, k), linear, {.y = y.data(), .ldy = n});
  }
  std::vector<float> row(static_cast<std::size_t>(k));
  for (int token = 0; token < n; ++token) kobolt::add_embedding(linear, token, 1.0F, row.data());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  open(AlignedVector<std::byte>(bytes.begin(), bytes.end()));
  multiply_sparse(bytes);
  for (const std::size_t body : {std::size_t{0}, std::size_t{128}}) {
    open(with_valid_header(bytes, body));
  }
  return 0;
}
