#pragma once

#include <napi.h>

namespace dmicro {

// Returns every number and order that this binary and src/ must agree on, by the name used in
// src/transports/native/ring-layout.ts, where the loader compares them: a stale binary is refused, not misread.
Napi::Object Layout(Napi::Env env);

}  // namespace dmicro
