#include "node/raw_codec.h"

#include <initializer_list>

#include "node/arguments.h"
#include "wire/raw_proto.h"

namespace dmicro {
namespace {

Napi::Value Numbers(Napi::Env env, std::initializer_list<int64_t> values) {
  Napi::Int32Array array = Napi::Int32Array::New(env, values.size());
  size_t i = 0;
  for (const int64_t value : values) array[i++] = static_cast<int32_t>(value);
  return array;
}

}  // namespace

Napi::Value Unpack(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const Bytes bytes = arguments.Bytes(0);
  const FrameLimits limits{arguments.Size32(1), arguments.Size32(2)};
  if (!arguments.Ok()) return info.Env().Undefined();
  uint32_t total;
  CloseReason reason;
  const Parse prefix = CheckPrefix(bytes, limits, &total, &reason);
  if (prefix == Parse::kBad) return Numbers(info.Env(), {-static_cast<int>(reason)});
  if (prefix == Parse::kMore || bytes.size < total) return Numbers(info.Env(), {0});
  RawMessage message;
  if (!UnpackRaw({bytes.data, total}, &message, &reason)) return Numbers(info.Env(), {-static_cast<int>(reason)});
  const auto start = [&bytes](Bytes run) { return run.data - bytes.data; };
  const auto end = [&bytes](Bytes run) { return run.data - bytes.data + static_cast<ptrdiff_t>(run.size); };
  return Numbers(info.Env(), {total, message.seq, message.type, message.codec, start(message.method),
                              end(message.method), start(message.status), end(message.status), start(message.meta),
                              end(message.meta), start(message.body)});
}

Napi::Value Pack(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  RawMessage message;
  message.seq = arguments.Int(0);
  message.type = static_cast<uint8_t>(arguments.Int(1));
  message.method = arguments.Bytes(2);
  message.status = arguments.Bytes(3);
  message.meta = arguments.Bytes(4);
  message.codec = static_cast<uint8_t>(arguments.Int(5));
  message.body = arguments.Bytes(6);
  if (!arguments.Ok()) return info.Env().Undefined();
  if (message.method.size > kMaxMethod || message.status.size > kMaxStatus || message.meta.size > kMaxMeta ||
      message.body.size > INT32_MAX - HeaderBound(message)) {
    Napi::RangeError::New(info.Env(), "method, status, meta or body is too long").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  Napi::ArrayBuffer frame = Napi::ArrayBuffer::New(info.Env(), PackedSize(message));
  if (info.Env().IsExceptionPending()) return info.Env().Undefined();
  StoreBytes(PackHeader(static_cast<uint8_t*>(frame.Data()), message), message.body);
  return frame;
}

}  // namespace dmicro
