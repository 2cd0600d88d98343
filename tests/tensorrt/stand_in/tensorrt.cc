#include "tensorrt/stand_in/tensorrt.h"

#include <NvInfer.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>

#include "base/float16.h"
#include "onnx/interpreter.h"
#include "onnx/model_reader.h"
#include "tensorrt/network.h"
#include "tensorrt/profile_shapes.h"
#include "tensorrt/stand_in/cuda.h"

namespace stand_in {

using kobolt::onnx::Array;
using kobolt::onnx::Dimension;
using kobolt::onnx::ElementType;
using namespace nvinfer1;

struct Port {
  std::string name;
  TensorIOMode mode = TensorIOMode::kNONE;
  DataType type = DataType::kFLOAT;
  Dims shape{};                      // -1 where a call chooses
  std::vector<std::string> symbols;  // of those axes: equal ones have equal sizes
  kobolt::InputShapes allowed{};     // of an input
};

struct Engine {
  kobolt::onnx::ModelDef model;
  std::vector<Port> ports;
  std::int64_t scratch_bytes = 0;
  bool selects = false;
  bool reorders = false;

  [[nodiscard]] const Port* find(const std::string& name) const {
    const auto found = std::ranges::find(ports, name, &Port::name);
    return found == ports.end() ? nullptr : &*found;
  }
};

namespace {

std::vector<std::shared_ptr<const Engine>>& engines() {
  static std::vector<std::shared_ptr<const Engine>> all;
  return all;
}

DataType type_of(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return DataType::kFLOAT;
    case ElementType::f16:
      return DataType::kHALF;
    case ElementType::i64:
      return DataType::kINT64;
    default:
      throw std::runtime_error("an input or output of another type");
  }
}

std::size_t size_of(DataType type) {
  if (type == DataType::kINT64) return 8;
  return type == DataType::kHALF ? 2 : 4;
}

bool is_own_cache(const std::string& name) {
  return name.starts_with("past_key_values.") && name.find(".decoder.") != std::string::npos;
}

Port port(const std::string& name, TensorIOMode mode, DataType type,
          const std::vector<Dimension>& shape) {
  Port port{.name = name, .mode = mode, .type = type};
  port.shape.nbDims = static_cast<std::int32_t>(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto* size = std::get_if<std::int64_t>(&shape[i]);
    port.shape.d[i] = size != nullptr ? *size : -1;
    port.symbols.push_back(size != nullptr ? "" : std::get<std::string>(shape[i]));
  }
  // The cache still has the rows of the step before.
  if (is_own_cache(name)) port.symbols[0] = "previous_rows";
  return port;
}

std::vector<std::int64_t> shape_of(const Dims& dims) { return {dims.d, dims.d + dims.nbDims}; }

std::size_t bytes_of(const Port& port, const Dims& dims) {
  const auto shape = shape_of(dims);
  return static_cast<std::size_t>(
             std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>())) *
         size_of(port.type);
}

double read(DataType type, const std::byte* at) {
  const auto as = [at](auto value) {
    std::memcpy(&value, at, sizeof value);
    return value;
  };
  switch (type) {
    case DataType::kINT64:
      return static_cast<double>(as(std::int64_t{}));
    case DataType::kINT32:
      return as(std::int32_t{});
    case DataType::kHALF:
      return kobolt::f32_from_f16(as(std::uint16_t{}));
    default:
      return as(float{});
  }
}

void write(DataType type, double number, std::byte* at) {
  const auto put = [at](auto value) { std::memcpy(at, &value, sizeof value); };
  if (type == DataType::kINT32) return put(static_cast<std::int32_t>(number));
  if (type == DataType::kHALF) return put(kobolt::f16_from_f32(static_cast<float>(number)));
  put(static_cast<float>(number));
}

Array load(const Port& port, const Dims& dims, const void* memory) {
  Array array{.shape = shape_of(dims)};
  const std::size_t size = size_of(port.type);
  const auto* bytes = static_cast<const std::byte*>(memory);
  for (std::size_t at = 0; at < bytes_of(port, dims); at += size) {
    array.values.push_back(read(port.type, bytes + at));
  }
  return array;
}

void store(const Port& port, const Array& array, void* memory) {
  const std::size_t size = size_of(port.type);
  auto* bytes = static_cast<std::byte*>(memory);
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    write(port.type, array.values[i], bytes + i * size);
  }
}

Array rows_of(const Array& array, const std::vector<double>& which) {
  Array rows{.shape = array.shape};
  rows.shape[0] = static_cast<std::int64_t>(which.size());
  const std::size_t size = array.values.size() / static_cast<std::size_t>(array.shape[0]);
  for (const double row : which) {
    if (row < 0 || row >= static_cast<double>(array.shape[0])) {
      throw std::runtime_error("a parent that is no row");
    }
    const auto from =
        array.values.begin() + static_cast<std::ptrdiff_t>(row) * static_cast<std::ptrdiff_t>(size);
    rows.values.insert(rows.values.end(), from, from + static_cast<std::ptrdiff_t>(size));
  }
  return rows;
}

/// Of equals the last first, since TensorRT promises no order.
void select(std::map<std::string, Array>& outputs, std::int64_t count) {
  const Array& logits = outputs.at("logits");
  const std::int64_t rows = logits.shape[0];
  Array values{.shape = {rows, 1, count}};
  Array tokens{.shape = {rows, 1, count}};
  Array sums{.shape = {rows, 1, 1}};
  const auto vocabulary = static_cast<std::size_t>(logits.shape[2]);
  for (std::size_t at = 0; at < logits.values.size(); at += vocabulary) {
    std::vector<std::pair<double, std::size_t>> all;
    double sum = 0;
    for (std::size_t i = 0; i < vocabulary; ++i) {
      all.emplace_back(logits.values[at + i], i);
      sum += std::exp(logits.values[at + i]);
    }
    std::ranges::sort(all, std::greater<>());
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      values.values.push_back(all[i].first);
      tokens.values.push_back(static_cast<double>(all[i].second));
    }
    sums.values.push_back(std::log(sum));
  }
  outputs[kobolt::kBestValues] = std::move(values);
  outputs[kobolt::kBestTokens] = std::move(tokens);
  outputs[kobolt::kLogSum] = std::move(sums);
}

using Shapes = std::map<std::string, Dims>;

/// Returns what was wrong, or nothing. `places`: where each port's numbers are.
std::string execute(const Engine& engine, const Shapes& shapes, std::span<void* const> places) {
  std::map<std::string, Array> inputs;
  std::map<std::string, void*> place_of;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Port& port = engine.ports[i];
    place_of[port.name] = places[i];
    if (port.mode != TensorIOMode::kINPUT) continue;
    inputs[port.name] = load(port, shapes.at(port.name), places[i]);
  }
  try {
    if (engine.reorders) {
      const Array parents = std::move(inputs.extract(kobolt::kParents).mapped());
      for (auto& [name, array] : inputs) {
        if (is_own_cache(name)) array = rows_of(array, parents.values);
      }
    }
    auto outputs = evaluate(engine.model, std::move(inputs));
    if (engine.selects) select(outputs, engine.find(kobolt::kBestValues)->shape.d[2]);
    for (const auto& [name, array] : outputs) {
      if (array.shape != shape_of(shapes.at(name))) return name + " of another shape";
      if (std::ranges::any_of(array.values, [](double x) { return std::isnan(x); })) {
        return name + " is not a number";
      }
      store(*engine.find(name), array, place_of.at(name));
    }
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

/// The sizes of all ports for those of the inputs; nothing where inputs contradict each other.
std::optional<Shapes> resolve(const Engine& engine, const Bindings& bindings) {
  std::map<std::string, std::int64_t> sizes;
  Shapes shapes;
  for (const Port& port : engine.ports) {
    Dims dims = port.shape;
    const auto given = bindings.shapes.find(port.name);
    const bool input = port.mode == TensorIOMode::kINPUT;
    if (input && given == bindings.shapes.end()) return std::nullopt;
    for (int i = 0; i < dims.nbDims; ++i) {
      const std::string& symbol = port.symbols[static_cast<std::size_t>(i)];
      if (symbol.empty()) continue;
      if (input && sizes.emplace(symbol, given->second.d[i]).first->second != given->second.d[i]) {
        return std::nullopt;
      }
      dims.d[i] = sizes.at(symbol);
    }
    shapes[port.name] = dims;
  }
  return shapes;
}

}  // namespace

std::string plan_of(const std::filesystem::path& folder, const std::string& graph,
                    const kobolt::TensorRTProfile& profile) {
  auto engine = std::make_shared<Engine>();
  engine->model = kobolt::onnx::read_model(folder / (graph + "_model.onnx")).model;
  engine->selects = graph != "encoder";
  engine->reorders = graph == "decoder_with_past";
  std::vector<Port>& ports = engine->ports;
  for (const auto& input : engine->model.inputs) {
    ports.push_back(port(input.name, TensorIOMode::kINPUT, type_of(input.type), input.shape));
  }
  const Dimension rows = engine->model.inputs.front().shape.front();
  if (engine->reorders) {
    ports.push_back(port(kobolt::kParents, TensorIOMode::kINPUT, DataType::kINT32, {rows}));
  }
  for (Port& one : ports) one.allowed = kobolt::input_shapes(graph, one.name, one.shape, profile);
  std::int64_t vocabulary = 0;
  for (const auto& output : engine->model.outputs) {
    ports.push_back(port(output.name, TensorIOMode::kOUTPUT, type_of(output.type), output.shape));
    if (output.name == "logits") vocabulary = ports.back().shape.d[2];
  }
  if (engine->selects) {
    const std::int64_t count = std::min<std::int64_t>(kobolt::kMostSelected, vocabulary);
    const auto add = [&](const char* name, DataType type, std::int64_t width) {
      ports.push_back(port(name, TensorIOMode::kOUTPUT, type, {rows, std::int64_t{1}, width}));
    };
    add(kobolt::kBestValues, DataType::kFLOAT, count);
    add(kobolt::kBestTokens, DataType::kINT32, count);
    add(kobolt::kLogSum, DataType::kFLOAT, 1);
  }
  engine->scratch_bytes = static_cast<std::int64_t>(256 * ports.size());
  engines().push_back(engine);
  return std::to_string(engines().size() - 1);
}

}  // namespace stand_in

namespace nvinfer1 {

using stand_in::Port;

IExecutionContext::IExecutionContext(std::shared_ptr<const stand_in::Engine> engine, ILogger& log)
    : engine_(std::move(engine)), log_(log) {
  ++stand_in::counts().contexts;
}

bool IExecutionContext::refuse(const std::string& why) noexcept {
  log_.log(ILogger::Severity::kERROR, why.c_str());
  return false;
}

Dims IExecutionContext::getTensorShape(const char* name) const noexcept {
  const auto shapes = stand_in::resolve(*engine_, bindings_);
  return shapes ? shapes->at(name) : Dims{-1, {}};
}

bool IExecutionContext::setInputShape(const char* name, const Dims& shape) noexcept {
  const Port* port = engine_->find(name);
  if (port == nullptr || port->mode != TensorIOMode::kINPUT) return refuse("no such input");
  for (int i = 0; i < port->shape.nbDims; ++i) {
    if (shape.nbDims != port->shape.nbDims || shape.d[i] < port->allowed.least.d[i] ||
        shape.d[i] > port->allowed.most.d[i]) {
      return refuse("sizes outside of the profile");
    }
  }
  Dims& known = bindings_.shapes[name];
  const auto differs = stand_in::shape_of(known) != stand_in::shape_of(shape);
  known = shape;
  new_shapes_ = new_shapes_ || differs;
  ++*changes_;
  return true;
}

bool IExecutionContext::setInputTensorAddress(const char* name, const void* data) noexcept {
  return setTensorAddress(name, const_cast<void*>(data));
}

bool IExecutionContext::setTensorAddress(const char* name, void* data) noexcept {
  if (engine_->find(name) == nullptr) return refuse("no such input or output");
  bindings_.addresses[name] = data;
  ++*changes_;
  return true;
}

void IExecutionContext::setDeviceMemoryV2(void* memory, std::int64_t bytes) noexcept {
  const bool enough = bytes >= engine_->scratch_bytes &&
                      stand_in::is_device(memory, static_cast<std::size_t>(bytes));
  scratch_ = enough ? memory : nullptr;
}

bool IExecutionContext::enqueueV3(cudaStream_t stream) noexcept {
  if (scratch_ == nullptr) return refuse("no device memory");
  auto shapes = stand_in::resolve(*engine_, bindings_);
  if (!shapes) return refuse("inputs are missing, or of sizes that do not fit together");
  std::vector<stand_in::Region> regions;
  for (const Port& port : engine_->ports) {
    const auto address = bindings_.addresses.find(port.name);
    const std::size_t bytes = stand_in::bytes_of(port, shapes->at(port.name));
    if (address == bindings_.addresses.end() || !stand_in::is_device(address->second, bytes)) {
      return refuse(port.name + " has no memory of its size on the device");
    }
    regions.push_back(
        {.memory = address->second, .bytes = bytes, .written = port.mode == TensorIOMode::kOUTPUT});
  }
  const bool capturing = stand_in::is_capturing(stream);
  if (capturing && new_shapes_) return refuse("new shapes cannot be recorded");
  new_shapes_ = false;
  const cudaError_t status =
      stand_in::compute(stream, regions,
                        [=, engine = engine_, shapes = std::move(*shapes), changes = changes_,
                         then = *changes_](std::span<void* const> places) {
                          if (capturing && *changes != then) {
                            return std::string("a graph of a context that has changed");
                          }
                          return stand_in::execute(*engine, shapes, places);
                        });
  return status == cudaSuccess || refuse(cudaGetErrorString(status));
}

std::int32_t ICudaEngine::getNbIOTensors() const noexcept {
  return static_cast<std::int32_t>(engine_->ports.size());
}

const char* ICudaEngine::getIOTensorName(std::int32_t index) const noexcept {
  return engine_->ports[static_cast<std::size_t>(index)].name.c_str();
}

TensorIOMode ICudaEngine::getTensorIOMode(const char* name) const noexcept {
  const Port* port = engine_->find(name);
  return port == nullptr ? TensorIOMode::kNONE : port->mode;
}

DataType ICudaEngine::getTensorDataType(const char* name) const noexcept {
  return engine_->find(name)->type;
}

Dims ICudaEngine::getTensorShape(const char* name) const noexcept {
  return engine_->find(name)->shape;
}

std::int64_t ICudaEngine::getDeviceMemorySizeV2() const noexcept { return engine_->scratch_bytes; }

IExecutionContext* ICudaEngine::createExecutionContext(
    ExecutionContextAllocationStrategy strategy) {
  if (strategy != ExecutionContextAllocationStrategy::kUSER_MANAGED) return nullptr;
  return new IExecutionContext(engine_, log_);
}

ICudaEngine* IRuntime::deserializeCudaEngine(const void* bytes, std::size_t size) {
  const std::string text(static_cast<const char*>(bytes), size);
  const bool number =
      !text.empty() && text.size() < 9 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!number || std::stoul(text) >= stand_in::engines().size()) {
    log_.log(ILogger::Severity::kERROR, "no engine of this version");
    return nullptr;
  }
  return new ICudaEngine(stand_in::engines()[std::stoul(text)], log_);
}

IRuntime* createInferRuntime(ILogger& log) { return new IRuntime(log); }

}  // namespace nvinfer1
