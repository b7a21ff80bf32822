#pragma once

#include <napi.h>

#include <string>

#include "wire/bytes.h"

namespace dmicro {

// Checked access to the arguments that JavaScript passed. src/transports/native/addon.ts passes the right types; any
// other caller gets a TypeError and causes nothing worse. Requires that Ok() is checked before the values are used:
// after a failure an exception is pending and the values are zero.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  bool Ok() const { return ok_; }

  int32_t Int(size_t i) {
    if (!Expect(info_[i].IsNumber(), i, "a number")) return 0;
    return info_[i].As<Napi::Number>().Int32Value();
  }

  // A whole number from 0 to 2^53 - 1.
  uint64_t Size(size_t i) {
    if (!Expect(info_[i].IsNumber(), i, "a number")) return 0;
    const double value = info_[i].As<Napi::Number>().DoubleValue();
    if (!Expect(value >= 0 && value <= 9007199254740991.0, i, "a size")) return 0;
    return static_cast<uint64_t>(value);
  }

  uint32_t Size32(size_t i) {
    const uint64_t value = Size(i);
    if (!Expect(value <= UINT32_MAX, i, "a size below 2^32")) return 0;
    return static_cast<uint32_t>(value);
  }

  bool Flag(size_t i) {
    return Expect(info_[i].IsBoolean(), i, "true or false") && info_[i].As<Napi::Boolean>().Value();
  }

  // Returns false for null and undefined. Text with NUL is refused, because the called functions end strings there.
  bool Text(size_t i, std::string* text) {
    if (info_[i].IsNull() || info_[i].IsUndefined()) return false;
    if (!Expect(info_[i].IsString(), i, "a string")) return false;
    *text = info_[i].As<Napi::String>().Utf8Value();
    return Expect(text->find('\0') == std::string::npos, i, "text without NUL");
  }

  // Borrowed until the call returns.
  dmicro::Bytes Bytes(size_t i) {
    const bool fits = info_[i].IsTypedArray() && info_[i].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array;
    if (!Expect(fits, i, "a Uint8Array")) return {};
    const Napi::Uint8Array array = info_[i].As<Napi::Uint8Array>();
    return {array.Data(), array.ByteLength()};
  }

  Napi::Function Function(size_t i) {
    if (!Expect(info_[i].IsFunction(), i, "a function")) return Napi::Function();
    return info_[i].As<Napi::Function>();
  }

  bool Expect(bool condition, size_t i, const char* what) {
    if (condition || !ok_) return condition;
    ok_ = false;
    const std::string text = "argument " + std::to_string(i + 1) + " must be " + what;
    Napi::TypeError::New(info_.Env(), text).ThrowAsJavaScriptException();
    return false;
  }

 private:
  const Napi::CallbackInfo& info_;
  bool ok_ = true;
};

}  // namespace dmicro
