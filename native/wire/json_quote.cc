#include "wire/json_quote.h"

#include "wire/word_scan.h"

namespace dmicro {
namespace {

// The letter behind `\` of a short escape; 0 when there is none for `byte`.
char ShortEscape(uint8_t byte) {
  switch (byte) {
    case '"':
    case '\\':
      return static_cast<char>(byte);
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

}  // namespace

bool NeedsEscape(Bytes text) { return FoldWords(text, Escaped) != 0; }

uint8_t* QuoteJson(uint8_t* out, Bytes text) {
  *out++ = '"';
  for (size_t i = 0; i < text.size; i++) {
    const uint8_t byte = text.data[i];
    if (byte >= ' ' && byte != '"' && byte != '\\') {
      *out++ = byte;
      continue;
    }
    *out++ = '\\';
    if (const char letter = ShortEscape(byte)) {
      *out++ = static_cast<uint8_t>(letter);
      continue;
    }
    out = StoreBytes(out, {reinterpret_cast<const uint8_t*>("u00"), 3});
    *out++ = static_cast<uint8_t>('0' + byte / 16);
    *out++ = static_cast<uint8_t>("0123456789abcdef"[byte % 16]);
  }
  *out++ = '"';
  return out;
}

}  // namespace dmicro
