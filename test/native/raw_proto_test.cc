#include "wire/raw_proto.h"

#include <doctest/doctest.h>

#include "hex.h"
#include "message.h"

namespace dmicro {
namespace {

constexpr FrameLimits kLimits{1 << 20, 4};
const std::string kOk = R"({"code":0,"msg":"","cause":""})";

// The fields of a frame, each behind its length.
std::string Payload(const std::string& seq, int type, const std::string& method, const std::string& status,
                    const std::string& meta) {
  const auto run8 = [](const std::string& run) { return static_cast<char>(run.size()) + run; };
  const auto run16 = [](const std::string& run) {
    return std::string{static_cast<char>(run.size() >> 8), static_cast<char>(run.size())} + run;
  };
  return run8(seq) + static_cast<char>(type) + run8(method) + run16(status) + run16(meta) + 'j';
}

// Unpacks a frame whose prefix must be good.
bool Unpack(const std::string& frame, Message* message, CloseReason* reason) {
  const Exact memory(frame);
  uint32_t total;
  REQUIRE(CheckPrefix(memory, kLimits, &total, reason) == Parse::kDone);
  REQUIRE(total == frame.size());
  RawMessage raw;
  if (!UnpackRaw(memory, &raw, reason)) return false;
  *message = Own(raw);
  return true;
}

Message Accepted(const std::string& frame) {
  Message message;
  CloseReason reason;
  REQUIRE(Unpack(frame, &message, &reason));
  return message;
}

CloseReason Refused(const std::string& frame) {
  Message message;
  CloseReason reason = CloseReason::kLocal;
  CHECK_FALSE(Unpack(frame, &message, &reason));
  return reason;
}

// Packs and unpacks `message`, and checks that nothing has changed.
void CheckVector(const std::string& frame, const Message& message) {
  CHECK(Pack(message) == frame);
  CHECK(Accepted(frame) == message);
  CHECK(PackedSize(Borrow(message)) == frame.size());
}

TEST_CASE("a frame with filters stays unparsed, whatever is in it") {
  for (const char* hex : {"00000010 01 01 7a 1f8b08000000000000", "0000000f 01 04 7a7a7a7a 0000000000",
                          "00000010 01 01 ff 0131 63 00 0000 0000 6a"}) {
    const std::string frame = Hex(hex);
    CHECK(Accepted(frame) == Message{0, kTypeUnparsed, "", "", "", 0, frame});
  }
}

TEST_CASE("RAW-1: a CALL with meta and body") {
  CheckVector(
      Hex("00000057 01 00 01 31 01 09 2f6d6174682f616464 001e 7b22636f6465223a302c226d7367223a22222c22636175736522"
          "3a22227d 0016 7b22617574686f72223a226f73676f6368696e61227d 6a 5b312c322c332c342c355d"),
      {.seq = 1,
       .type = 1,
       .method = "/math/add",
       .status = "",
       .meta = R"({"author":"osgochina"})",
       .codec = 'j',
       .body = "[1,2,3,4,5]"});
}

TEST_CASE("RAW-2: a successful REPLY") {
  CheckVector(
      Hex("00000031 01 00 01 31 02 00 001e 7b22636f6465223a302c226d7367223a22222c226361757365223a22227d 0002 7b7d"
          " 6a 3135"),
      {.seq = 1, .type = 2, .method = "", .status = "", .meta = "", .codec = 'j', .body = "15"});
}

TEST_CASE("RAW-3: an error REPLY with codec 0 and no body") {
  CheckVector(Hex("0000003a 01 00 01 31 02 00 0029 7b22636f6465223a3430342c226d7367223a224e6f7420466f756e64222c22636175"
                  "7365223a22227d 0002 7b7d 00"),
              {.seq = 1,
               .type = 2,
               .method = "",
               .status = R"({"code":404,"msg":"Not Found","cause":""})",
               .meta = "",
               .codec = 0,
               .body = ""});
}

TEST_CASE("the smallest frame is read, with status and meta left empty") {
  const std::string frame = Hex("0000000f 01 00 01 31 01 00 0000 0000 00");
  CHECK(frame.size() == kMinFrame);
  CHECK(Accepted(frame) == Message{.codec = 0});
}

TEST_CASE("only the exact text of OK and of no meta is folded away") {
  CHECK(Accepted(FrameOf(Payload("1", 2, "", kOk, "{}"))).status.empty());
  for (const char* status : {R"({"code":0,"msg":"","cause":""} )", R"({"code":1,"msg":"","cause":""})", "{}", "null"})
    CHECK(Accepted(FrameOf(Payload("1", 2, "", status, "{}"))).status == status);
  for (const char* meta : {"{ }", "{}\n", "{", "[]", "null", R"({"a":"b"})"})
    CHECK(Accepted(FrameOf(Payload("1", 2, "", kOk, meta))).meta == meta);
}

TEST_CASE("the largest fields survive both ways") {
  for (const size_t short_of : {0u, 1u}) {
    const Message message{.method = std::string(kMaxMethod - short_of, 'm'),
                          .status = std::string(kMaxStatus - short_of, 's'),
                          .meta = std::string(kMaxMeta - short_of, 't'),
                          .body = std::string(1000, 'b')};
    CHECK(Accepted(Pack(message)) == message);
  }
}

// Regression: HeaderBound was two bytes too small when it counted a longer status but no `{}`.
TEST_CASE("a long method with a status and no meta fits its header's bound") {
  for (const int32_t seq : {0, -2147483647 - 1}) {
    const Message message{.seq = seq, .method = std::string(kMaxMethod, 'm'), .status = std::string(64, 's')};
    CHECK(Accepted(Pack(message)) == message);
  }
}

TEST_CASE("every codec id and every body byte survives both ways") {
  Message message;
  for (int byte = 0; byte < 256; byte++) {
    message.codec = static_cast<uint8_t>(byte);
    message.body = std::string(3, static_cast<char>(byte));
    REQUIRE(Accepted(Pack(message)) == message);
  }
}

TEST_CASE("sequence numbers of every length survive both ways") {
  for (const int32_t seq : {0, 1, 35, 36, 1295, 1296, 46655, 46656, 2147483647, -1, -36, -2147483647 - 1}) {
    const Message message{.seq = seq};
    CHECK(Accepted(Pack(message)) == message);
  }
}

TEST_CASE("any spelling of a sequence number that Go reads is read") {
  const auto seq = [](const std::string& text) { return Accepted(FrameOf(Payload(text, 1, "/a", kOk, "{}"))).seq; };
  CHECK(seq("+1") == 1);
  CHECK(seq("Zz") == 1295);
  CHECK(seq(std::string(254, '0') + "1") == 1);
  CHECK(seq("-zik0zk") == -2147483647 - 1);
}

TEST_CASE("a sequence number that is none is refused") {
  for (const char* text : {"", "-", "+", "1 ", " 1", "1_0", "0x?", "zik0zk", "-zik0zl", "\xff"})
    CHECK(Refused(FrameOf(Payload(text, 1, "/a", kOk, "{}"))) == CloseReason::kSeq);
  CHECK(Refused(FrameOf(Payload(std::string(255, 'z'), 1, "/a", kOk, "{}"))) == CloseReason::kSeq);
}

TEST_CASE("only CALL, REPLY, PUSH and the two of authentication are read, of all 256 types") {
  for (int type = 0; type < 256; type++) {
    CAPTURE(type);
    const std::string frame = FrameOf(Payload("1", type, "/a", kOk, "{}"));
    if (type >= 1 && type <= 5) {
      CHECK(Accepted(frame).type == type);
    } else {
      CHECK(Refused(frame) == CloseReason::kType);
    }
  }
}

TEST_CASE("a length that runs past the frame by one byte or more is refused, at each field") {
  const std::string payload = Payload("1", 1, "/m", kOk, "{}") + "body";
  const size_t method = 3, status = method + 1 + 2, meta = status + 2 + kOk.size();
  const auto with = [&payload](size_t at, size_t length, size_t width) {
    std::string changed = payload;
    if (width == 2) changed[at] = static_cast<char>(length >> 8);
    changed[at + width - 1] = static_cast<char>(length);
    return FrameOf(changed);
  };
  for (const size_t at : {size_t{0}, method}) {
    for (size_t length = payload.size() - at; length <= 255; length++)
      REQUIRE(Refused(with(at, length, 1)) == CloseReason::kOverrun);
  }
  for (const size_t at : {status, meta}) {
    for (size_t length = payload.size() - at - 1; length <= 65535; length += length < 300 ? 1 : 997)
      REQUIRE(Refused(with(at, length, 2)) == CloseReason::kOverrun);
    REQUIRE(Refused(with(at, 65535, 2)) == CloseReason::kOverrun);
  }
}

TEST_CASE("a field that takes all the rest leaves nothing for those behind it") {
  const std::string payload = Payload("1", 1, "/m", kOk, "{}");
  std::string changed = payload;
  changed[3] = static_cast<char>(payload.size() - 4);
  CHECK(Refused(FrameOf(changed)) == CloseReason::kOverrun);
  // Meta up to the end: only the codec is missing.
  changed = payload;
  changed[6 + 2 + kOk.size() + 1] = 3;
  CHECK(Refused(FrameOf(changed)) == CloseReason::kOverrun);
}

TEST_CASE("a frame cut anywhere before its codec is refused") {
  const std::string payload = Payload("1", 1, "/m", kOk, R"({"a":"b"})");
  for (size_t size = kMinFrame - kPrefixSize; size < payload.size(); size++) {
    CAPTURE(size);
    CHECK(Refused(FrameOf(payload.substr(0, size))) == CloseReason::kOverrun);
  }
  CHECK(Accepted(FrameOf(payload)).body.empty());
  CHECK(Accepted(FrameOf(payload + "x")).body == "x");
}

TEST_CASE("the order of the checks is that of the bytes: seq, then type, then the rest") {
  CHECK(Refused(FrameOf("\x01?" + std::string(7, '\0'))) == CloseReason::kSeq);
  CHECK(Refused(FrameOf(std::string("\x01\x31\x09\xff", 4) + std::string(5, '\0'))) == CloseReason::kType);
}

}  // namespace
}  // namespace dmicro
