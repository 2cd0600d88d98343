#include "tensorrt/cuda.h"

#include <fmt/format.h>

#include <utility>

#include "kobolt/error.h"

namespace kobolt {

void check_cuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw Error(ErrorKind::unsupported, fmt::format("CUDA: {}", cudaGetErrorString(status)),
              {.field = what});
}

template <CudaSide side>
CudaBuffer<side>::CudaBuffer(CudaBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

template <CudaSide side>
CudaBuffer<side>& CudaBuffer<side>::operator=(CudaBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

template <CudaSide side>
CudaBuffer<side>::~CudaBuffer() {
  free();
}

template <CudaSide side>
void CudaBuffer<side>::free() {
  if (data_ != nullptr) (void)(side == CudaSide::device ? cudaFree(data_) : cudaFreeHost(data_));
  data_ = nullptr;
  size_ = 0;
}

template <CudaSide side>
void CudaBuffer<side>::reserve(std::size_t bytes) {
  if (bytes <= size_) return;
  free();
  constexpr bool kDevice = side == CudaSide::device;
  void* memory = nullptr;
  const cudaError_t status = kDevice ? cudaMalloc(&memory, bytes) : cudaMallocHost(&memory, bytes);
  if (status != cudaSuccess) {
    (void)cudaGetLastError();  // told here, and no error of what follows
    throw Error(ErrorKind::unsupported, fmt::format("CUDA: {}", cudaGetErrorString(status)),
                {.field = kDevice ? "device memory" : "pinned memory",
                 .expected = fmt::format("{} bytes more", bytes),
                 .hint = "take fewer documents or beams at a time (--max-rows), or shorter ones"});
  }
  data_ = static_cast<std::byte*>(memory);
  size_ = bytes;
}

template class CudaBuffer<CudaSide::device>;
template class CudaBuffer<CudaSide::host>;

CudaStream::CudaStream() {
  check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream");
}

CudaStream::~CudaStream() { (void)cudaStreamDestroy(stream_); }

void CudaStream::copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) const {
  check_cuda(cudaMemcpyAsync(to, from, bytes, kind, stream_), "copy");
}

void CudaStream::copy_rows(void* to, std::size_t distance, const void* from, std::size_t size,
                           std::size_t rows) const {
  check_cuda(
      cudaMemcpy2DAsync(to, distance, from, size, size, rows, cudaMemcpyDeviceToDevice, stream_),
      "copy");
}

void CudaStream::zero(void* memory, std::size_t bytes) const {
  check_cuda(cudaMemsetAsync(memory, 0, bytes, stream_), "zeros");
}

void CudaStream::wait() const { check_cuda(cudaStreamSynchronize(stream_), "execution"); }

void CudaStream::settle() const noexcept { (void)cudaStreamSynchronize(stream_); }

std::optional<CudaGraph> CudaGraph::record(const CudaStream& stream,
                                           const std::function<void()>& work) {
  if (cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal) != cudaSuccess) {
    (void)cudaGetLastError();
    return std::nullopt;
  }
  bool whole = true;
  try {
    work();
  } catch (const Error&) {
    whole = false;
  }
  cudaGraph_t recorded = nullptr;
  whole = cudaStreamEndCapture(stream.get(), &recorded) == cudaSuccess && whole;
  cudaGraphExec_t graph = nullptr;
  if (whole) whole = cudaGraphInstantiateWithFlags(&graph, recorded, 0) == cudaSuccess;
  if (recorded != nullptr) (void)cudaGraphDestroy(recorded);
  (void)cudaGetLastError();  // what could not be recorded is no error of what follows
  if (!whole) return std::nullopt;
  return CudaGraph(graph);
}

void CudaGraph::launch(const CudaStream& stream) const {
  check_cuda(cudaGraphLaunch(graph_.get(), stream.get()), "graph");
}

CudaDevice first_cuda_device() {
  int count = 0;
  check_cuda(cudaGetDeviceCount(&count), "devices");
  if (count == 0) throw Error(ErrorKind::unsupported, "CUDA sees no device");
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, 0), "device 0");
  return {.name = properties.name,
          .compute_capability = fmt::format("{}.{}", properties.major, properties.minor)};
}

}  // namespace kobolt
