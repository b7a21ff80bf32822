#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "wire/base36.h"
#include "wire/raw_proto.h"

// Helpers shared by the tests and the fuzz targets: bytes and messages that own their memory.

namespace dmicro {

// Aborts unless `holds`, also in fuzz targets, which have no doctest.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// A copy in memory of exactly its size, so that AddressSanitizer sees one byte too many.
class Exact {
 public:
  explicit Exact(std::string_view text) : data_(new uint8_t[text.size()]), size_(text.size()) {
    if (size_ != 0) std::memcpy(data_.get(), text.data(), size_);
  }
  uint8_t* data() { return data_.get(); }
  operator Bytes() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> data_;
  size_t size_;
};

inline Bytes BytesOf(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

inline std::string TextOf(Bytes bytes) {
  return bytes.size == 0 ? "" : std::string(reinterpret_cast<const char*>(bytes.data), bytes.size);
}

// A RawMessage that outlives its frame.
struct Message {
  int32_t seq = 1;
  uint8_t type = kTypeCall;
  std::string method{};
  std::string status{};
  std::string meta{};
  uint8_t codec = 'j';
  std::string body{};

  bool operator==(const Message&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Message& message) {
  const auto run = [](const std::string& text) {
    return text.size() <= 60 ? '"' + text + '"' : std::to_string(text.size()) + " bytes";
  };
  return out << "seq " << message.seq << " type " << int{message.type} << " method " << run(message.method)
             << " status " << run(message.status) << " meta " << run(message.meta) << " codec " << int{message.codec}
             << " body " << run(message.body);
}

inline Message Own(const RawMessage& raw) {
  return {raw.seq, raw.type, TextOf(raw.method), TextOf(raw.status), TextOf(raw.meta), raw.codec, TextOf(raw.body)};
}

inline RawMessage Borrow(const Message& message) {
  RawMessage raw;
  raw.seq = message.seq;
  raw.type = message.type;
  raw.codec = message.codec;
  raw.method = BytesOf(message.method);
  raw.status = BytesOf(message.status);
  raw.meta = BytesOf(message.meta);
  raw.body = BytesOf(message.body);
  return raw;
}

// Packs the whole frame; PackHeader gets exactly the room that it requires.
inline std::string Pack(const Message& message) {
  const RawMessage raw = Borrow(message);
  Exact header(std::string(PackedSize(raw) - raw.body.size, '\xcd'));
  const Bytes room = header;
  Require(room.size <= HeaderBound(raw) && HeaderBound(raw) - room.size < kBase36Max, "HeaderBound is a close bound");
  Require(PackHeader(header.data(), raw) == room.data + room.size, "PackHeader fills what PackedSize promised");
  return TextOf(room) + message.body;
}

// A frame with a valid prefix and `payload` behind it, for frames that Pack would never write.
inline std::string FrameOf(std::string_view payload) {
  std::string frame(kPrefixSize, '\0');
  uint8_t* const prefix = reinterpret_cast<uint8_t*>(frame.data());
  StoreBig32(prefix, static_cast<uint32_t>(kPrefixSize + payload.size()));
  prefix[4] = kRawVersion;
  return frame.append(payload);
}

}  // namespace dmicro
