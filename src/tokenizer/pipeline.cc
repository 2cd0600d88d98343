#include "tokenizer/pipeline.h"

#include <algorithm>
#include <utility>

#include "tokenizer/growth.h"

namespace kobolt::text {

class Pipeline::Borrowed {
 public:
  explicit Borrowed(const Pipeline& owner) : owner_(&owner) {
    {
      const std::lock_guard lock(owner.mutex_);
      if (!owner.idle_.empty()) {
        workspace_ = std::move(owner.idle_.back());
        owner.idle_.pop_back();
      }
    }
    if (!workspace_) {
      workspace_ = std::make_unique<Workspace>();
      workspace_->scratch = owner.parts_.model->make_scratch();
    }
    workspace_->arena.clear();
    workspace_->pieces.clear();
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() {
    const std::lock_guard lock(owner_->mutex_);
    owner_->idle_.push_back(std::move(workspace_));
  }
  Workspace* operator->() const { return workspace_.get(); }

 private:
  const Pipeline* owner_;
  std::unique_ptr<Workspace> workspace_;
};

std::optional<std::size_t> Pipeline::limit(const EncodeOptions& options) const {
  std::optional<std::size_t> total;
  if (parts_.truncation) total = parts_.truncation->max_length;
  if (options.max_length > 0) {
    const auto asked = static_cast<std::size_t>(options.max_length);
    total = total ? std::min(*total, asked) : asked;
  }
  if (!total || !options.add_special_tokens) return total;
  const std::size_t special = parts_.post_processor.added();
  if (*total < special) {
    throw Error(ErrorKind::invalid_argument, "the length limit leaves no room for special tokens",
                {.field = "max_length",
                 .found = std::to_string(*total),
                 .expected = "at least " + std::to_string(special)});
  }
  return *total - special;
}

std::vector<std::int32_t> Pipeline::encode(std::string_view text,
                                           const EncodeOptions& options) const {
  const std::optional<std::size_t> most = limit(options);
  const bool from_left = parts_.truncation && parts_.truncation->from_left;
  const Borrowed work(*this);
  std::vector<Piece>& pieces = work->pieces;
  parts_.added.split(text, parts_.normalizer.get(), work->arena, pieces);
  for (const auto& step : parts_.pretokenizers) {
    std::vector<Piece>& next = work->next_pieces;
    next.clear();
    PieceSink sink(next, work->arena, work->stretches);
    for (const Piece& piece : pieces) {
      if (piece.id >= 0) {
        next.push_back(piece);
      } else {
        step->split(piece, sink);
      }
    }
    pieces.swap(next);
  }

  std::vector<std::int32_t> ids;
  ids.reserve(pieces.size() + pieces.size() / 2 + 8);
  for (const Piece& piece : pieces) {
    if (most && !from_left && ids.size() > *most) break;  // the rest would be cut off
    if (piece.id >= 0) {
      ids.push_back(piece.id);
    } else {
      parts_.model->encode(piece.text, ids, *work->scratch);
    }
  }
  if (most && ids.size() > *most) {
    if (*most == 0 && parts_.truncation && parts_.truncation->keep_some) {
      throw Error(ErrorKind::invalid_argument, "the length limit leaves nothing of the text",
                  {.field = "truncation.max_length"});
    }
    const auto excess = static_cast<std::ptrdiff_t>(ids.size() - *most);
    if (from_left) {
      ids.erase(ids.begin(), ids.begin() + excess);
    } else {
      ids.resize(*most);
    }
  }
  parts_.post_processor.process(ids, options.add_special_tokens);
  return ids;
}

std::string Pipeline::decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (const std::int32_t id : ids) {
    std::string token;
    if (const std::string* added = parts_.added.token(id)) {
      token = *added;
    } else if (const auto known = parts_.target_vocabulary ? parts_.target_vocabulary->token(id)
                                                           : parts_.model->token(id)) {
      token = *known;
    } else {
      continue;
    }
    if (skip_special_tokens && parts_.added.is_special(token)) continue;
    tokens.push_back(std::move(token));
  }
  const auto size_of = [](const std::vector<std::string>& parts) {
    std::size_t size = 0;
    for (const std::string& part : parts) size += part.size();
    return size;
  };
  const std::size_t size = size_of(tokens);
  for (const auto& step : parts_.decoders) {
    step->decode(tokens);
    check_growth(size, size_of(tokens));
  }
  std::string text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && !parts_.has_decoder) text.push_back(' ');
    text += tokens[i];
  }
  return text;
}

int Pipeline::vocab_size() const {
  return static_cast<int>(parts_.model->vocab_size() + parts_.added.beyond_model());
}

std::optional<std::int32_t> Pipeline::token_to_id(std::string_view token) const {
  if (const auto id = parts_.added.find(token)) return id;
  const std::int32_t id = parts_.model->find(token);
  if (id == Vocabulary::none) return std::nullopt;
  return id;
}

std::optional<std::string> Pipeline::id_to_token(std::int32_t id) const {
  if (const std::string* added = parts_.added.token(id)) return *added;
  const auto token = parts_.model->token(id);
  if (!token) return std::nullopt;
  return std::string(*token);
}

}  // namespace kobolt::text
