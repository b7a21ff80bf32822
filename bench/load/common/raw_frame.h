#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace dmicro_bench {

// The raw protocol (docs/spec/wire.md#frame):
//   u32 total | u8 version | u8 n, n filter ids | u8+seq | u8 type | u8+service method | u16+status
//   | u16+meta | u8 codec | body

inline constexpr uint8_t kVersion = 1;
inline constexpr uint8_t kCall = 1;
inline constexpr uint8_t kReply = 2;
inline constexpr uint8_t kPush = 3;
inline constexpr uint8_t kJsonCodec = 'j';
inline constexpr std::string_view kOkStatus = R"({"code":0,"msg":"","cause":""})";
inline constexpr std::string_view kEmptyMeta = "{}";
inline constexpr size_t kMaxMethod = 255;
// total, version, no filters, one digit of seq, type, no method, no status, no meta, codec
inline constexpr size_t kMinFrame = 4 + 1 + 1 + 2 + 1 + 1 + 2 + 2 + 1;

// Every field points into the received bytes. With filters, only `filters` and `size` are set.
struct RawFrame {
  size_t size;
  uint8_t version;
  std::string_view filters;
  std::string_view seq;
  uint8_t type;
  std::string_view method;
  std::string_view status;
  std::string_view meta;
  uint8_t codec;
  std::string_view body;
};

enum class Parse { kWhole, kPartial, kBad };

inline uint32_t LoadBe32(const char* bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return __builtin_bswap32(value);
}

inline void StoreBe32(char* bytes, uint32_t value) {
  value = __builtin_bswap32(value);
  memcpy(bytes, &value, sizeof value);
}

// The only way received bytes are read: each take is checked against what is left of the frame.
class FrameReader {
 public:
  FrameReader(const char* begin, const char* end) : at_(begin), end_(end) {}

  bool Byte(uint8_t* value) {
    if (at_ == end_) return false;
    *value = static_cast<uint8_t>(*at_++);
    return true;
  }
  bool Bytes8(std::string_view* value) {
    uint8_t size;
    return Byte(&size) && Take(size, value);
  }
  bool Bytes16(std::string_view* value) {
    uint8_t high, low;
    return Byte(&high) && Byte(&low) && Take(static_cast<size_t>(high) << 8 | low, value);
  }
  std::string_view Rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }

 private:
  bool Take(size_t size, std::string_view* value) {
    if (size > static_cast<size_t>(end_ - at_)) return false;
    *value = {at_, size};
    at_ += size;
    return true;
  }

  const char* at_;
  const char* end_;
};

// Reads one frame from the start of `received`. The limit is checked before the frame has arrived, so that
// an announced length alone never makes anybody buffer more than `max_size` bytes.
inline Parse ParseFrame(std::string_view received, size_t max_size, RawFrame* frame) {
  if (received.size() < 4) return Parse::kPartial;
  const size_t size = LoadBe32(received.data());
  frame->size = size;
  if (size < kMinFrame || size > max_size) return Parse::kBad;
  if (received.size() < size) return Parse::kPartial;
  FrameReader reader(received.data() + 4, received.data() + size);
  if (!reader.Byte(&frame->version) || !reader.Bytes8(&frame->filters)) return Parse::kBad;
  if (!frame->filters.empty()) return Parse::kWhole;
  const bool in_bounds = reader.Bytes8(&frame->seq) && reader.Byte(&frame->type) && reader.Bytes8(&frame->method) &&
                         reader.Bytes16(&frame->status) && reader.Bytes16(&frame->meta) && reader.Byte(&frame->codec);
  if (!in_bounds) return Parse::kBad;
  frame->body = reader.Rest();
  return Parse::kWhole;
}

}  // namespace dmicro_bench
