#include "node/layout.h"

#include <cstddef>
#include <string>

#include "io/ring_layout.h"
#include "io/socket_options.h"
#include "io/web_socket.h"
#include "wire/close_reason.h"
#include "wire/framer.h"
#include "wire/json_hint.h"

namespace dmicro {
namespace {

struct Number {
  const char* name;
  size_t value;
};

#define WORD(name, type, member) \
  { name, offsetof(type, member) / sizeof(int32_t) }

constexpr Number kNumbers[] = {
    {"INT32_BYTES", sizeof(int32_t)},
    {"OUTBOX_SIZE", kOutboxSize},
    {"MAX_SENDS", kMaxSends},
    {"MAX_SLOTS", kMaxSlots},
    {"MAX_BODY", kMaxBody},
    {"REC_WORDS", sizeof(Record) / sizeof(int32_t)},
    {"SEND_WORDS", sizeof(Send) / sizeof(int32_t)},
    {"CTL_WORDS", sizeof(Control) / sizeof(int32_t)},
    {"HINT_SHIFT", kHintShift},
    {"UNPARSED", kTypeUnparsed},
    {"ANSWER_BIT", kAnswerBit},
    {"QUOTE_BIT", kQuoteBit},
    {"MAX_UNESCAPED", kMaxUnescaped},
    {"MAX_PEEK", Framer::kMaxPeek},
    {"MAX_METHOD_BYTES", kMaxMethod},
    {"MAX_STATUS_BYTES", kMaxStatus},
    {"MAX_META_BYTES", kMaxMeta},

    WORD("Rec.Slot", Record, slot),
    WORD("Rec.Generation", Record, generation),
    WORD("Rec.Kind", Record, kind),
    WORD("Rec.Seq", Record, seq),
    WORD("Rec.Route", Record, route),
    WORD("Rec.Bits", Record, bits),
    WORD("Rec.BodyStart", Record, body_start),
    WORD("Rec.BodyEnd", Record, body_end),
    WORD("Rec.MetaStart", Record, meta_start),
    WORD("Rec.MetaEnd", Record, meta_end),
    WORD("Rec.StatusStart", Record, status_start),
    WORD("Rec.StatusEnd", Record, status_end),
    WORD("Rec.NameStart", Record, name_start),
    WORD("Rec.NameEnd", Record, name_end),
    WORD("Rec.Large", Record, large),

    WORD("Snd.Slot", Send, slot),
    WORD("Snd.Generation", Send, generation),
    WORD("Snd.Bits", Send, bits),
    WORD("Snd.Seq", Send, seq),
    WORD("Snd.Route", Send, route),
    WORD("Snd.BodyStart", Send, body_start),
    WORD("Snd.BodySize", Send, body_size),
    WORD("Snd.MetaStart", Send, meta_start),
    WORD("Snd.MetaSize", Send, meta_size),
    WORD("Snd.StatusStart", Send, status_start),
    WORD("Snd.StatusSize", Send, status_size),
    WORD("Snd.NameStart", Send, name_start),
    WORD("Snd.NameSize", Send, name_size),

    WORD("Ctl.SendBase", Control, send_base),
    WORD("Ctl.SendNext", Control, send_next),
    WORD("Ctl.OutboxBase", Control, outbox_base),
    WORD("Ctl.OutboxNext", Control, outbox_next),
    WORD("Ctl.First", Control, first),
    WORD("Ctl.Count", Control, count),
    WORD("Ctl.Generation", Control, generation),

    {"Kind.Message", kMessage},
    {"Kind.Accept", kAccept},
    {"Kind.Connect", kConnect},
    {"Kind.Close", kClose},
    {"Kind.Writable", kWritable},
    {"Kind.Layer", kLayer},

    {"Framing.Raw", static_cast<size_t>(Framing::kRaw)},
    {"Framing.Envelope", static_cast<size_t>(Framing::kEnvelope)},
    {"Framing.Stream", static_cast<size_t>(Framing::kStream)},
    {"Framing.Peek", static_cast<size_t>(Framing::kPeek)},
    {"Framing.Message", static_cast<size_t>(Framing::kMessage)},
    {"WebSocketBit.Server", kWsServer},
    {"WebSocketBit.Client", kWsClient},
    {"WebSocketBit.Text", kWsText},

    {"SocketOption.NoDelay", static_cast<size_t>(SocketOption::kNoDelay)},
    {"SocketOption.KeepAlive", static_cast<size_t>(SocketOption::kKeepAlive)},
    {"SocketOption.ReceiveBuffer", static_cast<size_t>(SocketOption::kReceiveBuffer)},
    {"SocketOption.SendBuffer", static_cast<size_t>(SocketOption::kSendBuffer)},

    {"TextHint.Nothing", static_cast<size_t>(TextHint::kNothing)},
    {"TextHint.Ascii", static_cast<size_t>(TextHint::kAscii)},
    {"TextHint.Quoted", static_cast<size_t>(TextHint::kQuoted)},
};

#undef WORD

}  // namespace

Napi::Object Layout(Napi::Env env) {
  Napi::Object layout = Napi::Object::New(env);
  for (const Number& number : kNumbers) layout[number.name] = static_cast<uint32_t>(number.value);
  uint32_t reason = 0;
  for (const char* text : kCloseReasonText) layout["CloseReason." + std::to_string(reason++)] = text;
  return layout;
}

}  // namespace dmicro
