#include "tensorrt/network.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/error.h"

namespace kobolt {
namespace {

using namespace nvinfer1;

constexpr std::uint32_t kLastAxis = 1U << 2U;  // of [R, 1, V]

ITensor& output_named(INetworkDefinition& network, std::string_view name) {
  for (int i = 0; i < network.getNbOutputs(); ++i) {
    if (name == network.getOutput(i)->getName()) return *network.getOutput(i);
  }
  throw Error(ErrorKind::corrupt, "the ONNX graph lacks an output",
              {.field = std::string(name), .expected = "what export_onnx() writes"});
}

void mark(INetworkDefinition& network, ITensor& tensor, const char* name) {
  tensor.setName(name);
  network.markOutput(tensor);
}

ITopKLayer* largest(INetworkDefinition& network, ITensor& logits, int count) {
#if NV_TENSORRT_MAJOR > 10 || NV_TENSORRT_MINOR >= 14
  return network.addTopK(logits, TopKOperation::kMAX, count, kLastAxis, DataType::kINT32);
#else
  return network.addTopK(logits, TopKOperation::kMAX, count, kLastAxis);
#endif
}

/// Every layer that reads `from` reads `to`, but for the layer that makes `to`.
void reconnect(INetworkDefinition& network, const ITensor& from, ITensor& to, const ILayer& maker) {
  for (int i = 0; i < network.getNbLayers(); ++i) {
    ILayer* layer = network.getLayer(i);
    if (layer == &maker) continue;
    for (int j = 0; j < layer->getNbInputs(); ++j) {
      if (layer->getInput(j) == &from) layer->setInput(j, to);
    }
  }
}

}  // namespace

void add_selection(INetworkDefinition& network) {
  ITensor& logits = output_named(network, "logits");
  const Dims dims = logits.getDimensions();
  const int count = std::min(kMostSelected, static_cast<int>(dims.d[dims.nbDims - 1]));
  ITopKLayer* best = largest(network, logits, count);
  mark(network, *best->getOutput(0), kBestValues);
  mark(network, *best->getOutput(1), kBestTokens);

  constexpr bool kKeepAxis = true;
  ITensor& top =
      *network.addReduce(logits, ReduceOperation::kMAX, kLastAxis, kKeepAxis)->getOutput(0);
  ITensor& below = *network.addElementWise(logits, top, ElementWiseOperation::kSUB)->getOutput(0);
  ITensor& exponentials = *network.addUnary(below, UnaryOperation::kEXP)->getOutput(0);
  ITensor& sum =
      *network.addReduce(exponentials, ReduceOperation::kSUM, kLastAxis, kKeepAxis)->getOutput(0);
  ITensor& logarithm = *network.addUnary(sum, UnaryOperation::kLOG)->getOutput(0);
  mark(network, *network.addElementWise(logarithm, top, ElementWiseOperation::kSUM)->getOutput(0),
       kLogSum);
}

void add_reordering(INetworkDefinition& network) {
  std::vector<ITensor*> caches;
  for (int i = 0; i < network.getNbInputs(); ++i) {
    ITensor* input = network.getInput(i);
    const std::string_view name = input->getName();
    if (name.starts_with("past_key_values.") && name.find(".decoder.") != name.npos) {
      caches.push_back(input);
    }
  }
  ITensor& parents = *network.addInput(kParents, DataType::kINT32, Dims{1, {-1}});
  for (ITensor* cache : caches) {
    // Not as many rows as this step has: dimensions of one name would have to be equal.
    cache->setDimensionName(0, "previous_rows");
    IGatherLayer* gather = network.addGather(*cache, parents, 0);
    reconnect(network, *cache, *gather->getOutput(0), *gather);
  }
}

}  // namespace kobolt
