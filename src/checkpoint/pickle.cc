#include "checkpoint/pickle.h"

#include <array>
#include <bit>
#include <initializer_list>
#include <optional>
#include <unordered_map>
#include <utility>

#include "checkpoint/byte_reader.h"
#include "checkpoint/pickle_opcodes.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

// A state dict takes about thirty nodes a tensor: these leave room for ten thousand tensors and
// bound what a hostile file can make us allocate.
constexpr std::size_t kMaxNodes = 1U << 18U;
constexpr std::size_t kMaxStack = 1U << 18U;
constexpr std::size_t kMaxBytes = 32U << 20U;

/// The names that may be referred to.
enum class Global : std::int64_t {
  ordered_dict,
  rebuild_tensor,
  rebuild_parameter,
  first_storage,  ///< plus the DType
};

struct StorageName {
  std::string_view name;
  DType dtype;
};
constexpr std::array kStorages{
    StorageName{"FloatStorage", DType::f32},     StorageName{"HalfStorage", DType::f16},
    StorageName{"BFloat16Storage", DType::bf16}, StorageName{"DoubleStorage", DType::f64},
    StorageName{"LongStorage", DType::i64},      StorageName{"IntStorage", DType::i32},
    StorageName{"ShortStorage", DType::i16},     StorageName{"CharStorage", DType::i8},
    StorageName{"ByteStorage", DType::u8},       StorageName{"BoolStorage", DType::boolean},
};

std::optional<std::int64_t> find_global(std::string_view module, std::string_view name) {
  const auto id = [](Global global) { return static_cast<std::int64_t>(global); };
  if (module == "collections" && name == "OrderedDict") return id(Global::ordered_dict);
  if (module == "torch._utils" && name == "_rebuild_tensor_v2") return id(Global::rebuild_tensor);
  if (module == "torch._utils" && name == "_rebuild_parameter") {
    return id(Global::rebuild_parameter);
  }
  if (module == "torch") {
    for (const StorageName& storage : kStorages) {
      if (storage.name == name) {
        return id(Global::first_storage) + static_cast<std::int64_t>(storage.dtype);
      }
    }
  }
  return std::nullopt;
}

/// Control characters and anything outside ASCII are not repeated to a terminal.
std::string printable(std::string_view text) {
  constexpr std::size_t kShown = 120;
  std::string clean;
  for (const char c : text.substr(0, kShown)) clean += c >= ' ' && c <= '~' ? c : '?';
  return clean;
}

class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> bytes, const std::string& file)
      : reader_(bytes.first(std::min(bytes.size(), kMaxBytes)), file), file_(file) {}

  Pickle run() && {
    if (Opcode{reader_.u8()} != Opcode::proto) fail("not a pickle, or one of a protocol before 2");
    if (const int version = reader_.u8(); version != 2) {
      fail("a pickle of another protocol", std::to_string(version), "2, which torch.save writes");
    }
    while (true) {
      const Opcode opcode{reader_.u8()};
      if (opcode == Opcode::stop) break;
      execute(opcode);
    }
    pickle_.root = pop();
    pickle_.size = reader_.position();
    return std::move(pickle_);
  }

 private:
  using Items = std::vector<std::uint32_t>;

  [[noreturn]] void fail(const std::string& message, std::string found = "",
                         std::string expected = "") const {
    throw Error(ErrorKind::corrupt, message,
                {.file = file_,
                 .field = "pickle byte " + std::to_string(reader_.position()),
                 .found = std::move(found),
                 .expected = std::move(expected)});
  }

  void execute(Opcode opcode) {
    switch (opcode) {
      case Opcode::none:
        return push({.kind = PickleKind::none});
      case Opcode::new_true:
      case Opcode::new_false:
        return push({.kind = PickleKind::boolean, .integer = opcode == Opcode::new_true ? 1 : 0});
      case Opcode::bin_int:
        return push_integer(static_cast<std::int32_t>(reader_.u32()));
      case Opcode::bin_int1:
        return push_integer(reader_.u8());
      case Opcode::bin_int2:
        return push_integer(reader_.u16());
      case Opcode::long1:
        return push_long(reader_.text(reader_.u8()));
      case Opcode::bin_float:
        return push({.kind = PickleKind::real, .real = big_endian_double()});
      case Opcode::bin_unicode:
        return push({.kind = PickleKind::text, .text = reader_.text(reader_.u32())});
      case Opcode::empty_tuple:
        return push({.kind = PickleKind::tuple});
      case Opcode::empty_list:
        return push({.kind = PickleKind::list});
      case Opcode::empty_dict:
        return push({.kind = PickleKind::dict});
      case Opcode::mark:
        if (marks_.size() >= kMaxStack) fail("nested too deeply");
        return marks_.push_back(stack_.size());
      case Opcode::tuple:
        return push({.kind = PickleKind::tuple, .items = pop_to_mark()});
      case Opcode::tuple1:
        return push({.kind = PickleKind::tuple, .items = pop_many(1)});
      case Opcode::tuple2:
        return push({.kind = PickleKind::tuple, .items = pop_many(2)});
      case Opcode::tuple3:
        return push({.kind = PickleKind::tuple, .items = pop_many(3)});
      case Opcode::append:
        return append(pop_many(1));
      case Opcode::appends:
        return append(pop_to_mark());
      case Opcode::set_item:
        return set_items(pop_many(2));
      case Opcode::set_items:
        return set_items(pop_to_mark());
      case Opcode::bin_put:
        return put(reader_.u8());
      case Opcode::long_bin_put:
        return put(reader_.u32());
      case Opcode::bin_get:
        return get(reader_.u8());
      case Opcode::long_bin_get:
        return get(reader_.u32());
      case Opcode::global:
        return push_global();
      case Opcode::bin_persid:
        return push_storage();
      case Opcode::reduce:
        return reduce();
      case Opcode::build:
        return build();
      default:
        break;
    }
    const auto code = static_cast<std::uint8_t>(opcode);
    throw Error(ErrorKind::unsupported, "a pickle operation that no state dict needs",
                {.file = file_,
                 .field = "pickle byte " + std::to_string(reader_.position() - 1),
                 .found = std::string(name_of_opcode(code)) + " (" + std::to_string(code) + ")",
                 .hint = "save model.state_dict() with torch.save, or use safetensors"});
  }

  // --- the stack -------------------------------------------------------------------------------

  void push_index(std::uint32_t index) {
    if (stack_.size() >= kMaxStack) fail("nested too deeply");
    stack_.push_back(index);
  }

  void push(PickleNode node) {
    if (pickle_.nodes.size() >= kMaxNodes) fail("more values than any state dict has");
    pickle_.nodes.push_back(std::move(node));
    push_index(static_cast<std::uint32_t>(pickle_.nodes.size() - 1));
  }

  void push_integer(std::int64_t value) { push({.kind = PickleKind::integer, .integer = value}); }

  // Little-endian two's complement of any length.
  void push_long(std::string_view bytes) {
    if (bytes.size() > sizeof(std::int64_t)) {
      return push({.kind = PickleKind::big_integer, .text = bytes});
    }
    const bool negative = !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80U) != 0;
    std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
      value = value << 8U | static_cast<unsigned char>(bytes[i]);
    }
    push_integer(static_cast<std::int64_t>(value));
  }

  double big_endian_double() {
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits = bits << 8U | reader_.u8();
    return std::bit_cast<double>(bits);
  }

  // Values below the last mark belong to what is being built there.
  [[nodiscard]] std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  std::uint32_t pop() {
    if (stack_.size() <= floor()) fail("the pickle takes a value from an empty stack");
    const std::uint32_t index = stack_.back();
    stack_.pop_back();
    return index;
  }

  Items pop_many(std::size_t count) {
    if (stack_.size() < floor() + count) fail("the pickle takes a value from an empty stack");
    return cut(stack_.size() - count);
  }

  Items pop_to_mark() {
    if (marks_.empty()) fail("the pickle ends a group that was never begun");
    const std::size_t begin = marks_.back();
    marks_.pop_back();
    return cut(begin);
  }

  Items cut(std::size_t begin) {
    Items items(stack_.begin() + static_cast<std::ptrdiff_t>(begin), stack_.end());
    stack_.resize(begin);
    return items;
  }

  // The value on top, which stays there.
  PickleNode& top(PickleKind kind) {
    if (stack_.size() <= floor()) fail("the pickle uses a value from an empty stack");
    PickleNode& node = pickle_.nodes[stack_.back()];
    expect(node, kind);
    return node;
  }

  const PickleNode& expect(const PickleNode& node, PickleKind kind) const {
    if (node.kind != kind) {
      fail("unexpected value", std::string(name_of(node.kind)), std::string(name_of(kind)));
    }
    return node;
  }

  [[nodiscard]] const PickleNode& node(std::uint32_t index) const { return pickle_.nodes[index]; }

  // --- containers and the memo -----------------------------------------------------------------

  void append(const Items& items) {
    PickleNode& list = top(PickleKind::list);
    list.items.insert(list.items.end(), items.begin(), items.end());
  }

  void set_items(const Items& items) {
    if (items.size() % 2 != 0) fail("the pickle sets a dict's key without a value");
    PickleNode& dict = top(PickleKind::dict);
    dict.items.insert(dict.items.end(), items.begin(), items.end());
  }

  void put(std::uint32_t key) {
    if (stack_.empty()) fail("the pickle remembers a value from an empty stack");
    if (memo_.size() >= kMaxNodes) fail("more values than any state dict has");
    memo_[key] = stack_.back();
  }

  void get(std::uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) fail("the pickle recalls a value that it never stored");
    push_index(found->second);
  }

  // --- the names that torch uses ---------------------------------------------------------------

  void push_global() {
    const std::string_view module = reader_.line();
    const std::string_view name = reader_.line();
    const auto global = find_global(module, name);
    if (!global) {
      throw Error(ErrorKind::unsupported, "the pickle refers to code that no state dict needs",
                  {.file = file_,
                   .field = "pickle byte " + std::to_string(reader_.position()),
                   .found = printable(module) + "." + printable(name),
                   .hint = "nothing was run; save model.state_dict() with torch.save, or use "
                           "safetensors"});
    }
    push({.kind = PickleKind::global, .integer = *global});
  }

  // ("storage", torch.FloatStorage, key, location, elements[, view]).
  void push_storage() {
    const PickleNode& id = expect(node(pop()), PickleKind::tuple);
    if (id.items.size() < 5 || id.items.size() > 6) fail("a storage of unknown form");
    if (expect(node(id.items[0]), PickleKind::text).text != "storage") {
      fail("a persistent id that is not a storage");
    }
    const PickleNode& type = expect(node(id.items[1]), PickleKind::global);
    const std::int64_t dtype = type.integer - static_cast<std::int64_t>(Global::first_storage);
    if (dtype < 0) fail("a storage without an element type");
    if (id.items.size() == 6) expect(node(id.items[5]), PickleKind::none);
    PickledStorage storage;
    storage.key = expect(node(id.items[2]), PickleKind::text).text;
    storage.dtype = static_cast<DType>(dtype);
    storage.elements = natural(id.items[4]);
    pickle_.storages.push_back(std::move(storage));
    push({.kind = PickleKind::storage,
          .integer = static_cast<std::int64_t>(pickle_.storages.size() - 1)});
  }

  void reduce() {
    const Items call = pop_many(2);
    const PickleNode& function = expect(node(call[0]), PickleKind::global);
    const PickleNode& arguments = expect(node(call[1]), PickleKind::tuple);
    switch (Global{function.integer}) {
      case Global::ordered_dict:
        if (!arguments.items.empty()) fail("an OrderedDict with arguments");
        return push({.kind = PickleKind::dict});
      case Global::rebuild_tensor:
        return rebuild_tensor(arguments.items);
      case Global::rebuild_parameter:  // (tensor, requires_grad, hooks)
        if (arguments.items.size() != 3) fail("a parameter of unknown form");
        expect(node(arguments.items[0]), PickleKind::tensor);
        return push_index(arguments.items[0]);
      default:
        fail("the pickle calls a storage type");
    }
  }

  // (storage, offset, shape, stride, requires_grad, hooks[, metadata]).
  void rebuild_tensor(const Items& arguments) {
    if (arguments.size() < 6 || arguments.size() > 7) fail("a tensor of unknown form");
    PickledTensor tensor;
    tensor.storage =
        static_cast<std::uint32_t>(expect(node(arguments[0]), PickleKind::storage).integer);
    tensor.offset = natural(arguments[1]);
    tensor.shape = naturals(arguments[2]);
    tensor.stride = naturals(arguments[3]);
    if (tensor.shape.size() != tensor.stride.size()) fail("a tensor with two ranks");
    pickle_.tensors.push_back(std::move(tensor));
    push({.kind = PickleKind::tensor,
          .integer = static_cast<std::int64_t>(pickle_.tensors.size() - 1)});
  }

  // Attributes of a dict: state dicts carry the versions of their modules this way.
  void build() {
    expect(node(pop()), PickleKind::dict);
    top(PickleKind::dict);
  }

  [[nodiscard]] std::int64_t natural(std::uint32_t index) const {
    const std::int64_t value = expect(node(index), PickleKind::integer).integer;
    if (value < 0) fail("a negative size", std::to_string(value));
    return value;
  }

  [[nodiscard]] std::vector<std::int64_t> naturals(std::uint32_t index) const {
    constexpr std::size_t kMaxRank = 16;
    const Items& items = expect(node(index), PickleKind::tuple).items;
    if (items.size() > kMaxRank) fail("a tensor of too many dimensions");
    std::vector<std::int64_t> values;
    for (const std::uint32_t item : items) values.push_back(natural(item));
    return values;
  }

  ByteReader reader_;
  const std::string& file_;
  Pickle pickle_;
  Items stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, std::uint32_t> memo_;
};

}  // namespace

std::string_view name_of(PickleKind kind) {
  switch (kind) {
    case PickleKind::none:
      return "None";
    case PickleKind::boolean:
      return "a truth value";
    case PickleKind::integer:
    case PickleKind::big_integer:
      return "an integer";
    case PickleKind::real:
      return "a float";
    case PickleKind::text:
      return "a string";
    case PickleKind::tuple:
      return "a tuple";
    case PickleKind::list:
      return "a list";
    case PickleKind::dict:
      return "a dict";
    case PickleKind::storage:
      return "a storage";
    case PickleKind::tensor:
      return "a tensor";
    case PickleKind::global:
      return "a function or class";
  }
  return "?";
}

Pickle read_pickle(std::span<const std::byte> bytes, const std::string& file) {
  return PickleMachine(bytes, file).run();
}

}  // namespace kobolt
