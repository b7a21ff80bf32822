#pragma once

#include <string>
#include <string_view>

namespace dmicro {

// The bytes that hex digits name; spaces between them mean nothing.
inline std::string Hex(std::string_view text) {
  std::string bytes;
  int high = -1;
  for (const char c : text) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<char>(high << 4 | digit));
      high = -1;
    }
  }
  return bytes;
}

}  // namespace dmicro
