#pragma once

#include <napi.h>

namespace dmicro {

// Every number and order that this binary and src/ must agree on, by the name it has in
// src/transports/native/ring-layout.ts, which compares them: a stale binary is refused there, not misread.
Napi::Object Layout(Napi::Env env);

}  // namespace dmicro
