#pragma once

#include "wire/bytes.h"

namespace dmicro {

// Knowledge about a body without decoding it. A hint saves JavaScript its slowest steps; kNothing is always right.
enum class TextHint : uint8_t {
  kNothing,
  kAscii,   // every byte is below 0x80
  kQuoted,  // the body is a JSON string without escapes: `"`, printable ASCII except `"` and `\`, `"`
};

TextHint HintOf(Bytes body);

}  // namespace dmicro
