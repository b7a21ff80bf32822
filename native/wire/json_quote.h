#pragma once

#include "wire/bytes.h"

namespace dmicro {

// Most bytes that JSON takes for one byte of a text.
inline constexpr size_t kMaxEscape = 6;

// Whether JSON.stringify escapes a byte of `text`. Requires UTF-8, which has no lone surrogates to escape.
bool NeedsEscape(Bytes text);

// Writes the JSON string of `text` as JSON.stringify does and returns the end. Requires UTF-8, and room for kMaxEscape
// times its size and two quotes.
uint8_t* QuoteJson(uint8_t* out, Bytes text);

}  // namespace dmicro
