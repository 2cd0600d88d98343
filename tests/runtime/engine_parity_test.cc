#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/float16.h"
#include "compile/compile_to_memory.h"
#include "kernels/bf16.h"
#include "kernels/bytes.h"
#include "kernels/kernels.h"
#include "kobolt/error.h"
#include "model/positions.h"
#include "runtime/engine.h"

// The engine against what transformers computed from the same tiny checkpoints, one of each family
// (tests/golden/make_checkpoints.py). All documents run in one ragged batch here and alone there.
namespace kobolt {
namespace {

using Ids = std::vector<std::int32_t>;
using Rows = std::vector<std::vector<float>>;

struct Expected {
  std::vector<Ids> documents;
  std::vector<Rows> encoder;
  Ids decoder_input;
  std::vector<Rows> logits;
};

Expected load_expected(const std::filesystem::path& folder) {
  const auto json = nlohmann::json::parse(std::ifstream(folder / "expected.json"));
  return {.documents = json.at("documents"),
          .encoder = json.at("encoder"),
          .decoder_input = json.at("decoder_input"),
          .logits = json.at("logits")};
}

// To 127 steps of the row's largest magnitude, as int8 compilation rounds.
void round_to_i8(std::span<float> row) {
  float largest = 0;
  for (const float value : row) largest = std::max(largest, std::abs(value));
  for (float& value : row) {
    if (largest > 0) value = std::nearbyint(value * (127.0F / largest)) * (largest / 127.0F);
  }
}

// As int4 compilation rounds.
void round_to_i4(std::span<float> row) {
  const auto k = static_cast<int>(row.size());
  std::vector<std::uint8_t> packed(kernels::packed_i4_size(1, k));
  kernels::pack_i4(row.data(), k, 1, k, packed.data());
  kernels::unpack_i4_row({packed.data(), 1, k}, 0, row.data());
}

// Whether a tensor is the weight of a linear layer, not an embedding, a projection to the
// vocabulary or a table of positions.
bool is_linear(const std::string& tensor) { return tensor.find(".layers.") != std::string::npos; }

// Rounds every matrix as compilation does, position tables that come from a formula included.
void round_weights(Model& model, Precision precision) {
  const ModelConfig& config = model.config;
  for (const std::string side : {"encoder", "decoder"}) {
    const std::string name = "model." + side + ".embed_positions.weight";
    if (config.positions != Positions::sinusoidal || model.tensors.contains(name)) continue;
    model.tensors[name] =
        Tensor::from_f32({config.max_positions, config.d_model},
                         sinusoidal_positions(config.max_positions, config.d_model));
  }
  for (auto& [name, tensor] : model.tensors) {
    if (tensor.shape.size() != 2 || name == "final_logits_bias") continue;
    std::vector<float> values = tensor.to_f32();
    const auto columns = static_cast<std::size_t>(tensor.shape[1]);
    for (std::size_t row = 0; row < values.size(); row += columns) {
      const auto row_values = std::span(values).subspan(row, columns);
      for (float& value : row_values) {
        if (precision == Precision::fp16) value = f32_from_f16(f16_from_f32(value));
        if (precision == Precision::bf16) value = f32_from_bf16(bf16_from_f32(value));
      }
      if (precision == Precision::int4 && is_linear(name)) {
        round_to_i4(row_values);
      } else if (precision == Precision::int8 || precision == Precision::int4) {
        round_to_i8(row_values);
      }
    }
    tensor = Tensor::from_f32(tensor.shape, std::move(values));
  }
}

// What the float engine computes with the weights that a rounding engine has: the difference that
// is left is that of the activations.
void expect_rounded_model(const std::filesystem::path& folder, Precision precision,
                          Expected& expected) {
  Model model = Model::load(folder);
  round_weights(model, precision);
  ThreadPool pool(1);
  Engine engine(compile_to_memory(model, {.precision = Precision::fp32}), pool);
  const auto d = static_cast<std::size_t>(engine.config().d_model);
  const auto vocabulary = static_cast<std::size_t>(engine.vocab_size());
  const int steps = static_cast<int>(expected.decoder_input.size());
  for (std::size_t i = 0; i < expected.documents.size(); ++i) {
    const auto document = std::span(expected.documents).subspan(i, 1);
    std::vector<float> hidden(document[0].size() * d);
    engine.encode_hidden(document, hidden.data());
    for (std::size_t row = 0; row < document[0].size(); ++row) {
      std::copy_n(hidden.data() + row * d, d, expected.encoder[i][row].data());
    }
    const DocumentHandle handle = engine.encode(document, 1, steps)[0];
    for (std::size_t step = 0; step < expected.decoder_input.size(); ++step) {
      expected.logits[i][step].resize(vocabulary);
      const std::vector<StepRow> rows = {{handle, expected.decoder_input[step], 0}};
      engine.step(rows, expected.logits[i][step]);
    }
    engine.release(handle);
  }
}

// Largest difference relative to the largest magnitude of the expected row.
double difference(const float* found, const std::vector<float>& expected) {
  double largest = 0;
  double scale = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, static_cast<double>(std::abs(found[i] - expected[i])));
    scale = std::max(scale, static_cast<double>(std::abs(expected[i])));
    if (std::isnan(found[i])) return INFINITY;
  }
  return largest / scale;
}

struct ParityCase {
  std::string checkpoint;
  Precision precision;
  std::string instruction_set;
};

std::vector<ParityCase> parity_cases() {
  std::vector<ParityCase> all;
  for (const auto& entry : std::filesystem::directory_iterator(
           std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints")) {
    for (const Precision precision :
         {Precision::fp32, Precision::fp16, Precision::bf16, Precision::int8, Precision::int4}) {
      for (const std::string_view isa : kernels::available_instruction_sets()) {
        all.push_back({entry.path().filename().string(), precision, std::string(isa)});
      }
    }
  }
  std::ranges::sort(all, {}, [](const ParityCase& c) {
    return c.checkpoint + std::string(name_of(c.precision)) + c.instruction_set;
  });
  return all;
}

class EngineParity : public ::testing::TestWithParam<ParityCase> {
 protected:
  void SetUp() override {
    kernels::force_instruction_set(GetParam().instruction_set);
    const auto folder =
        std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / GetParam().checkpoint;
    expected_ = load_expected(folder);
    if (GetParam().precision != Precision::fp32) {
      expect_rounded_model(folder, GetParam().precision, expected_);
    }
    // What narrow caches add is kv_cache_test.cc's business.
    engine_ = std::make_unique<Engine>(
        compile_to_memory(Model::load(folder), {.precision = GetParam().precision}), pool_,
        KvCache::fp32);
  }
  void TearDown() override { kernels::force_instruction_set(""); }

  // fp32 and, over rounded weights, 16 bit with rows of floats: sums in another order only.
  // Integers: activations rounded to 1/4094 of their row's largest in every product; these random
  // models, far from smooth, amplify it up to two hundredfold. Where products take bytes, those of
  // int4 always, it is 1/255 of a row's range, 16 times as much; here that has been amplified
  // fortyfold. Rows of bfloat16 are rounded to 1/512 of each value, amplified thirtyfold.
  [[nodiscard]] double tolerance() const {
    switch (GetParam().precision) {
      case Precision::bf16:
        return kernels::prefers_bf16_rows() ? 0.15 : 1e-4;
      case Precision::int8:
        return kernels::prefers_byte_rows() ? 0.25 : 0.05;
      case Precision::int4:
        return 0.25;
      default:
        return 1e-4;
    }
  }

  Expected expected_;
  ThreadPool pool_{2};
  std::unique_ptr<Engine> engine_;
};

TEST_P(EngineParity, EncoderOfARaggedBatch) {
  const auto d = static_cast<std::size_t>(engine_->config().d_model);
  std::size_t tokens = 0;
  for (const Ids& document : expected_.documents) tokens += document.size();
  std::vector<float> hidden(tokens * d);
  engine_->encode_hidden(expected_.documents, hidden.data());
  const float* row = hidden.data();
  for (std::size_t i = 0; i < expected_.documents.size(); ++i) {
    ASSERT_EQ(expected_.encoder[i].size(), expected_.documents[i].size());
    for (const auto& expected : expected_.encoder[i]) {
      EXPECT_LT(difference(row, expected), tolerance()) << "document " << i;
      row += d;
    }
  }
}

TEST_P(EngineParity, LogitsStepByStepWhileBeamsSwapPlaces) {
  const auto vocabulary = static_cast<std::size_t>(engine_->vocab_size());
  const int steps = static_cast<int>(expected_.decoder_input.size());
  const auto handles = engine_->encode(expected_.documents, 3, steps);
  // Three rows a document; row `step % 3` carries the expected history and hands it to another row
  // each step, the other two decode something else.
  for (int step = 0; step < steps; ++step) {
    std::vector<StepRow> rows;
    const int count = step == 0 ? 1 : 3;
    const int carrier = step == 0 ? 0 : step % 3;
    const int before = step <= 1 ? 0 : (step - 1) % 3;
    for (const DocumentHandle handle : handles) {
      for (int r = 0; r < count; ++r) {
        const auto token = expected_.decoder_input[static_cast<std::size_t>(step)];
        rows.push_back({.document = handle,
                        .token = r == carrier ? token : (token + r + 1) % 7,
                        .parent = r == carrier ? before : 0});
      }
    }
    std::vector<float> logits(rows.size() * vocabulary);
    engine_->step(rows, logits);
    for (std::size_t i = 0; i < handles.size(); ++i) {
      const std::size_t row =
          i * static_cast<std::size_t>(count) + static_cast<std::size_t>(carrier);
      EXPECT_LT(difference(logits.data() + row * vocabulary,
                           expected_.logits[i][static_cast<std::size_t>(step)]),
                tolerance())
          << "document " << i << " step " << step;
    }
  }
  for (const DocumentHandle handle : handles) engine_->release(handle);
}

TEST_P(EngineParity, DocumentsComeAndGo) {
  // Document 0 decodes alone, another joins it, the first leaves, and a recycled one takes its
  // memory: none may notice.
  const auto vocabulary = static_cast<std::size_t>(engine_->vocab_size());
  const auto check = [&](std::size_t document, int step, const float* logits) {
    EXPECT_LT(difference(logits, expected_.logits[document][static_cast<std::size_t>(step)]),
              tolerance())
        << "document " << document << " step " << step;
  };
  const auto one = [&](std::size_t i) {
    return engine_->encode(std::span(expected_.documents).subspan(i, 1), 1, 4)[0];
  };
  const auto row = [&](DocumentHandle handle, int step) {
    return StepRow{.document = handle,
                   .token = expected_.decoder_input[static_cast<std::size_t>(step)]};
  };
  std::vector<float> logits(2 * vocabulary);
  const DocumentHandle first = one(0);
  engine_->step(std::vector{row(first, 0)}, logits);
  check(0, 0, logits.data());
  const DocumentHandle second = one(1);
  engine_->step(std::vector{row(first, 1), row(second, 0)}, logits);
  check(0, 1, logits.data());
  check(1, 0, logits.data() + vocabulary);
  engine_->release(first);
  const DocumentHandle third = one(3);
  EXPECT_EQ(third, first);
  engine_->step(std::vector{row(third, 0), row(second, 1)}, logits);
  check(3, 0, logits.data());
  check(1, 1, logits.data() + vocabulary);
}

TEST_P(EngineParity, RefusesWhatItCannotRun) {
  const std::vector<Ids> empty = {{}};
  EXPECT_THROW(engine_->encode(empty, 1, 4), Error);
  const std::vector<Ids> outside = {{engine_->config().encoder_vocab_size}};
  EXPECT_THROW(engine_->encode(outside, 1, 4), Error);
  const std::vector<Ids> too_long = {
      Ids(static_cast<std::size_t>(engine_->config().max_positions) + 1, 5)};
  EXPECT_THROW(engine_->encode(too_long, 1, 4), Error);
  const std::vector<Ids> good = {{5, 6}};
  const DocumentHandle handle = engine_->encode(good, 1, 1)[0];
  std::vector<float> logits(2 * static_cast<std::size_t>(engine_->vocab_size()));
  const auto step = [&](std::vector<StepRow> rows) { engine_->step(rows, logits); };
  EXPECT_THROW(step({{handle, -1, 0}}), Error);
  EXPECT_THROW(step({{handle, engine_->vocab_size(), 0}}), Error);
  EXPECT_THROW(step({{handle, 1, 1}}), Error);
  EXPECT_THROW(step({{handle, 1, 0}, {handle, 1, 0}}), Error);
  EXPECT_NO_THROW(step({{handle, 1, 0}}));
  EXPECT_THROW(step({{handle, 1, 0}}), Error);  // one position was reserved
}

// How far rounded weights lead from what transformers computed: a small multiple of the format's
// rounding, which for int8 is relative to a row's largest value and not to each value.
double bound_on_rounding(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return 40 * 0x1p-24;
    case Precision::fp16:
      return 6 * 0x1p-11;
    case Precision::bf16:
      return 6 * 0x1p-8;
    case Precision::int8:
      return 30 * 0.5 / 127;
    case Precision::int4:
      return 30 * 0.5 / 8;
  }
  return 0;
}

TEST_P(EngineParity, LogitsAreAsCloseToTransformersAsTheFormatAllows) {
  const Expected original = load_expected(std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" /
                                          GetParam().checkpoint);
  const auto vocabulary = static_cast<std::size_t>(engine_->vocab_size());
  const int steps = static_cast<int>(original.decoder_input.size());
  const auto handles = engine_->encode(original.documents, 1, steps);
  std::vector<float> logits(handles.size() * vocabulary);
  for (std::size_t step = 0; step < original.decoder_input.size(); ++step) {
    std::vector<StepRow> rows;
    for (const DocumentHandle handle : handles) {
      rows.push_back({.document = handle, .token = original.decoder_input[step]});
    }
    engine_->step(rows, logits);
    double total = 0;
    for (std::size_t i = 0; i < handles.size(); ++i) {
      total += difference(logits.data() + i * vocabulary, original.logits[i][step]);
    }
    EXPECT_LT(total / static_cast<double>(handles.size()), bound_on_rounding(GetParam().precision))
        << "mean of the documents at step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, EngineParity, ::testing::ValuesIn(parity_cases()),
                         [](const auto& test) {
                           std::string name = test.param.checkpoint + "_" +
                                              std::string(name_of(test.param.precision)) + "_" +
                                              test.param.instruction_set;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace kobolt
