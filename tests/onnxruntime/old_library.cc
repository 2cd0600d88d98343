// An ONNX Runtime of years ago, as far as Kobolt looks at it.

namespace {

struct Base {
  const void* (*get_api)(unsigned version);
  const char* (*get_version_string)();
};

const void* no_api(unsigned /*version*/) { return nullptr; }
const char* version() { return "1.8.1"; }

}  // namespace

extern "C" const Base* OrtGetApiBase() {
  static const Base base{no_api, version};
  return &base;
}
