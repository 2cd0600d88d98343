// A library that is no ONNX Runtime.

extern "C" int something_else() { return 0; }
