#pragma once

#include "wire/bytes.h"

namespace dmicro {

// Longest text WriteBase36 makes: "-zik0zk" for -2^31.
inline constexpr size_t kBase36Max = 7;

// Reads what Go's strconv.ParseInt(text, 36, 32) accepts: an optional sign, then digits of either case, leading zeros
// allowed. Returns false when the text is empty, has another character or leaves the int32 range.
bool ReadBase36(Bytes text, int32_t* value);

// Writes lower-case digits, no padding; returns the end.
uint8_t* WriteBase36(uint8_t* out, int32_t value);

}  // namespace dmicro
