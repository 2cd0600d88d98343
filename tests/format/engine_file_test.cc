#include "format/engine_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "base/hash.h"
#include "checkpoint/temporary_folder.h"
#include "format/header.h"
#include "kernels/sparse.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

using Image = AlignedVector<std::byte>;

class ImageSink : public EngineSink {
 public:
  void append(std::span<const std::byte> bytes) override {
    image.insert(image.end(), bytes.begin(), bytes.end());
  }
  void overwrite(std::size_t offset, std::span<const std::byte> bytes) override {
    std::memcpy(image.data() + offset, bytes.data(), bytes.size());
  }
  Image image;
};

EngineMetadata metadata() {
  EngineMetadata metadata;
  metadata.precision = Precision::int8;
  metadata.config.family = Family::marian;
  metadata.config.vocab_size = 70;
  metadata.config.encoder_vocab_size = 80;
  metadata.config.d_model = 8;
  metadata.config.max_positions = 32;
  metadata.config.encoder_layers = {{.self_heads = 2, .head_dim = 4, .ffn = 9}};
  metadata.config.decoder_layers = {{.self_heads = 1, .cross_heads = 2, .head_dim = 4, .ffn = 5}};
  metadata.config.activation = Activation::silu;
  metadata.config.positions = Positions::sinusoidal;
  metadata.config.layer_norm_epsilon = 1e-6F;
  metadata.generation.max_new_tokens = 17;
  metadata.generation.early_stopping = EarlyStopping::never;
  metadata.generation.eos_token_id = {1, 2};
  metadata.generation.bad_words_ids = {{3}, {4, 5}};
  metadata.generation.length_penalty = -0.75;
  metadata.generation.seed = ~0ULL;
  metadata.provenance.source = "a \"folder\"";
  metadata.provenance.steps = {"pruned", "quantised"};
  return metadata;
}

Image build() {
  ImageSink sink;
  EngineWriter writer(sink);
  const std::vector<float> rows = {1, 2, 3, 4, 5, 6};
  writer.add("table", Layout::rows_f32, {2, 3}, std::as_bytes(std::span(rows)));
  const std::string text = "{}";
  writer.add("tokenizer/tokenizer.json", Layout::bytes, {2}, std::as_bytes(std::span(text)));
  writer.finish(metadata());
  return std::move(sink.image);
}

std::shared_ptr<const EngineFile> open(const Image& image) {
  return EngineFile::from_memory(image, nullptr, "test.kobolt");
}

TEST(EngineFile, GivesBackWhatWasWritten) {
  const Image image = build();
  const auto file = open(image);
  EXPECT_EQ(file->metadata().config, metadata().config);
  EXPECT_EQ(file->metadata().precision, Precision::int8);
  const GenerationConfig& generation = file->metadata().generation;
  EXPECT_EQ(generation.max_new_tokens, 17);
  EXPECT_FALSE(generation.min_new_tokens.has_value());
  EXPECT_EQ(generation.early_stopping, EarlyStopping::never);
  EXPECT_EQ(generation.eos_token_id, metadata().generation.eos_token_id);
  EXPECT_EQ(generation.bad_words_ids, metadata().generation.bad_words_ids);
  EXPECT_EQ(generation.length_penalty, -0.75);
  EXPECT_EQ(generation.seed, ~0ULL);
  EXPECT_EQ(file->metadata().provenance.source, "a \"folder\"");
  EXPECT_EQ(file->metadata().provenance.steps.size(), 2U);
  EXPECT_EQ(file->tokenizer_files().at("tokenizer.json"), "{}");
  const std::vector<std::int64_t> shape = {2, 3};
  const auto bytes = file->tensor("table", Layout::rows_f32, shape);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % kSectionAlignment, 0U);
  EXPECT_EQ(reinterpret_cast<const float*>(bytes.data())[4], 5.0F);
}

TEST(EngineFile, NamesAMissingOrMisshapenTensor) {
  const Image image = build();
  const auto file = open(image);
  const std::vector<std::int64_t> other = {3, 2};
  EXPECT_THROW((void)file->tensor("table", Layout::rows_f32, other), Error);
  try {
    (void)file->tensor("nothing", Layout::rows_f32, other);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.detail().field, "nothing");
    EXPECT_EQ(error.detail().file, "test.kobolt");
  }
}

TEST(EngineFile, RefusesEverySingleFlippedBit) {
  Image image = build();
  for (std::size_t i = 0; i < image.size(); ++i) {
    for (const unsigned bit : {0U, 3U, 7U}) {
      image[i] ^= static_cast<std::byte>(1U << bit);
      EXPECT_THROW(open(image), Error) << "byte " << i << " bit " << bit;
      image[i] ^= static_cast<std::byte>(1U << bit);
    }
  }
  EXPECT_NO_THROW(open(image));
}

TEST(EngineFile, RefusesEveryTruncationAndAnythingAppended) {
  const Image image = build();
  for (std::size_t size = 0; size < image.size(); ++size) {
    EXPECT_THROW(EngineFile::from_memory(std::span(image).first(size), nullptr, "x"), Error)
        << size;
  }
  Image longer = image;
  longer.push_back(std::byte{0});
  EXPECT_THROW(open(longer), Error);
}

TEST(EngineFile, RefusesANewerVersionAndSaysSo) {
  Image image = build();
  const std::uint32_t newer = kEngineFormatVersion + 1;
  std::memcpy(image.data() + 8, &newer, sizeof(newer));
  try {
    open(image);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_NE(std::string(error.what()).find("newer version"), std::string::npos);
  }
}

// A description whose checksums are right but whose content lies: what an attacker would write.
class LyingDescription : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(LyingDescription, IsRefused) {
  const auto [from, to] = GetParam();
  std::vector<Section> sections = {
      {.name = "table", .layout = Layout::rows_f32, .shape = {2, 3}, .offset = 64, .size = 24}};
  std::string text = metadata_to_json(metadata(), sections);
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << text;
  text.replace(at, std::strlen(from), to);
  std::vector<Section> read;
  EXPECT_THROW(metadata_from_json(text, "x", read), Error) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Fields, LyingDescription,
    ::testing::Values(
        std::pair("\"vocab_size\":70", "\"vocab_size\":-70"),
        std::pair("\"vocab_size\":70", "\"vocab_size\":99999999999999999999"),
        std::pair("\"vocab_size\":70", "\"vocab_size\":70.5"),
        std::pair("\"vocab_size\":70", "\"vocab_size\":\"70\""),
        std::pair("\"vocab_size\":70,", ""), std::pair("\"d_model\":8", "\"d_model\":2000000000"),
        std::pair("\"head_dim\":4", "\"head_dim\":0"), std::pair("\"marian\"", "\"llama\""),
        std::pair("\"rows_f32\"", "\"rows_f64\""), std::pair("\"offset\":64", "\"offset\":-64"),
        std::pair("\"xxh3\":\"", "\"xxh3\":\"zz"),
        std::pair("\"eos_token_id\":[1,2]", "\"eos_token_id\":[1,[2]]"),
        std::pair("\"sections\":[{", "\"sections\":[1,{"),
        std::pair("{\"precision\"", "[{\"precision\"")));

TEST(EngineFile, DeepNestingIsAnErrorLikeAnyOther) {
  std::string text = metadata_to_json(metadata(), {});
  const std::string from = "\"vocab_size\":70";
  constexpr std::size_t kDepth = 1'000'000;
  text.replace(text.find(from), from.size(),
               "\"vocab_size\":" + std::string(kDepth, '[') + std::string(kDepth, ']'));
  std::vector<Section> read;
  EXPECT_THROW(metadata_from_json(text, "x", read), Error);
}

TEST(EngineFile, SectionSizesCannotOverflow) {
  const std::vector<std::int64_t> huge = {1LL << 40, 1LL << 40};
  EXPECT_THROW((void)section_size(Layout::rows_f32, huge), Error);
  const std::vector<std::int64_t> wraps = {1LL << 62};
  EXPECT_THROW((void)section_size(Layout::rows_f32, wraps), Error);
  const std::vector<std::int64_t> negative = {-1};
  EXPECT_THROW((void)section_size(Layout::bytes, negative), Error);
  const std::vector<std::int64_t> cube = {2, 2, 2};
  EXPECT_THROW((void)section_size(Layout::rows_f32, cube), Error);
  const std::vector<std::int64_t> packed = {17, 3};
  EXPECT_EQ(section_size(Layout::panels_f32, packed), 32U * 3U * 4U);
  EXPECT_EQ(section_size(Layout::panels_f16, packed), 32U * 3U * 2U);
  EXPECT_EQ(section_size(Layout::panels_bf16, packed), 32U * 3U * 2U);
  EXPECT_EQ(section_size(Layout::panels_i8, packed), 32U * 4U);
  EXPECT_EQ(section_size(Layout::panels_i4, packed), 2U * (16U * 2U + 16U * 16U));
  EXPECT_EQ(section_size(Layout::rows_f16, packed), 17U * 3U * 2U);
  EXPECT_EQ(section_size(Layout::rows_bf16, packed), 17U * 3U * 2U);
  EXPECT_EQ(section_size(Layout::rows_i8, packed), 17U * 3U);
  const std::vector<std::int64_t> row = {17};
  for (const Layout layout : kLayouts) {
    if (name_of(layout).starts_with("panels") || sparse_layout(layout)) {
      EXPECT_THROW((void)section_size(layout, row), Error) << name_of(layout);
    }
    const std::vector<std::int64_t> widest = {0x7FFFFFFF, 0x7FFFFFFF};
    // Of a sparse matrix that keeps nothing, masks of one bit for 16 values are left.
    const std::uint64_t share = sparse_layout(layout) ? 128 : 2;
    EXPECT_GE(section_size(layout, widest), 0x7FFFFFFFULL * 0x7FFFFFFFULL / share)
        << name_of(layout);
  }
}

// A sparse matrix [16, 3] whose second input is zero, as a file has it.
std::vector<std::byte> sparse_matrix(kernels::SparseForm form) {
  std::vector<float> w(std::size_t{16} * 3);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = i % 3 == 1 ? 0.0F : 1.0F;
  std::vector<float> dense(kernels::packed_f32_size(16, 3));
  kernels::pack_f32(w.data(), 3, 16, 3, dense.data());
  const auto sizes = kernels::sparse_sizes(w.data(), 3, 16, 3, sizeof(float));
  std::vector<std::byte> out(form == kernels::SparseForm::blocks ? sizes.blocks : sizes.values);
  kernels::pack_sparse(form, w.data(), 3, 16, 3, dense.data(), out.data());
  return out;
}

TEST(EngineFile, AFileWithASparseMatrixIsOfVersion3) {
  for (const auto& [form, layout] : {std::pair(kernels::SparseForm::blocks, Layout::blocks_f32),
                                     std::pair(kernels::SparseForm::values, Layout::values_f32)}) {
    ImageSink sink;
    EngineWriter writer(sink);
    writer.add("matrix", layout, {16, 3}, sparse_matrix(form));
    writer.finish(metadata());
    const auto file = open(sink.image);
    EXPECT_EQ(file->version(), 3U);
    EXPECT_EQ(file->section("matrix").layout, layout);
  }
  EXPECT_LT(open(build())->version(), 3U);
}

// Right checksums around a matrix whose masks lie: kernels would read outside of the file.
TEST(EngineFile, RefusesASparseMatrixThatLies) {
  for (const auto& [form, layout] : {std::pair(kernels::SparseForm::blocks, Layout::blocks_f32),
                                     std::pair(kernels::SparseForm::values, Layout::values_f32)}) {
    const std::vector<std::byte> right = sparse_matrix(form);
    const std::vector<std::int64_t> shape = {16, 3};
    EXPECT_EQ(check_content(layout, shape, right), "");
    ImageSink sink;
    EngineWriter writer(sink);
    writer.add("matrix", layout, shape, right);
    writer.finish(metadata());
    const std::uint64_t hash = hash64(right);
    const std::vector<std::byte> one_less(right.begin(), right.end() - 4);
    std::vector<std::byte> other_mask = right;
    other_mask[0] ^= std::byte{1};
    std::vector<std::byte> other_start = right;
    other_start[kernels::sparse_places(form, sizeof(float), 16, 3).starts + 4] ^= std::byte{8};
    for (const auto& wrong : {one_less, other_mask, other_start}) {
      EXPECT_NE(check_content(layout, shape, wrong), "");
      EXPECT_THROW(writer.add("other", layout, shape, wrong), Error);
      if (wrong.size() != right.size()) continue;
      // The same image with that content and a description that has its checksum.
      Image image = sink.image;
      std::ranges::copy(wrong, image.begin() + 64);
      EngineHeader header;
      std::memcpy(&header, image.data(), sizeof(header));
      std::string text(reinterpret_cast<const char*>(image.data() + header.metadata_offset),
                       header.metadata_size);
      const std::string from = fmt::format("{:016x}", hash);
      ASSERT_NE(text.find(from), std::string::npos);
      text.replace(text.find(from), from.size(), fmt::format("{:016x}", hash64(wrong)));
      std::memcpy(image.data() + header.metadata_offset, text.data(), text.size());
      header.metadata_hash = hash64(std::as_bytes(std::span(text)));
      std::memcpy(image.data(), &header, sizeof(header));
      header.header_hash = hash64(std::span(image).first(offsetof(EngineHeader, header_hash)));
      std::memcpy(image.data(), &header, sizeof(header));
      try {
        open(image);
        FAIL() << "expected an error";
      } catch (const Error& error) {
        EXPECT_EQ(error.detail().field, "matrix");
        EXPECT_NE(std::string(error.what()).find("sparse matrix"), std::string::npos);
      }
    }
  }
}

TEST(EngineFile, TellsOtherFilesApart) {
  const TemporaryFolder folder;
  const auto path = folder.write("not-an-engine", "hello, this is a text");
  EXPECT_FALSE(is_engine_file(path));
  EXPECT_THROW((void)EngineFile::open(path), Error);
}

}  // namespace
}  // namespace kobolt
