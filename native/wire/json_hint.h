#pragma once

#include "wire/bytes.h"

namespace dmicro {

// What is known of a body without decoding it. Spares JavaScript its slowest steps; saying kNothing is always right.
enum class TextHint : uint8_t {
  kNothing,
  kAscii,   // every byte is below 0x80
  kQuoted,  // and the whole is a JSON string without escapes: `"`, printable ASCII except `"` and `\`, `"`
};

TextHint HintOf(Bytes body);

}  // namespace dmicro
