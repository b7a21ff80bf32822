#pragma once

#include "wire/bytes.h"

namespace dmicro {

// Checks that text which comes in pieces is UTF-8 (RFC 3629: no surrogates, nothing overlong, nothing above U+10FFFF).
class Utf8Check {
 public:
  // Returns false when the bytes so far begin no valid text. Must not be called again after that.
  bool Add(Bytes bytes);
  // Returns whether the text ends between two characters, and begins a new text.
  bool Finish();

 private:
  uint8_t missing_ = 0;  // bytes that the current character still needs
  uint8_t low_ = 0x80;   // range of the next byte of the current character
  uint8_t high_ = 0xbf;
};

}  // namespace dmicro
