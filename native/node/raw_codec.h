#pragma once

#include <napi.h>

namespace dmicro {

// The raw protocol without a socket, for tests that compare the JavaScript codec with this one.

// unpack(bytes, maxMessage, maxFilters): Int32Array
//   a whole frame: [size, seq, type, codec, methodStart, methodEnd, statusStart, statusEnd, metaStart, metaEnd,
//   bodyStart] else [0], more bytes are needed, or [-CloseReason].
Napi::Value Unpack(const Napi::CallbackInfo& info);

// pack(seq, type, method, status, meta, codec, body): ArrayBuffer, the runs being Uint8Arrays; RangeError when one is
// too long.
Napi::Value Pack(const Napi::CallbackInfo& info);

}  // namespace dmicro
