#include "protocols/protobuf.h"

#include "protocols/varint.h"
#include "reply_limit.h"

namespace dmicro_bench {
namespace {

enum Field : uint32_t { kSeq = 1, kType, kMethod, kStatus, kMeta, kCodec, kBody };
enum WireType : uint32_t { kNumber = 0, kBytes = 2 };

constexpr char Key(Field field, WireType type) { return static_cast<char>(field << 3 | type); }

// One field of a message: a number, or bytes.
struct Taken {
  uint64_t field;
  uint64_t number;
  std::string_view bytes;
};

bool TakeField(std::string_view* rest, Taken* taken) {
  uint64_t key;
  if (!TakeVarint(rest, &key)) return false;
  taken->field = key >> 3;
  if ((key & 7) == kNumber) return TakeVarint(rest, &taken->number);
  uint64_t size;
  if ((key & 7) != kBytes || !TakeVarint(rest, &size) || size > rest->size()) return false;
  taken->bytes = rest->substr(0, size);
  rest->remove_prefix(size);
  return true;
}

void Bytes(Field field, size_t size, SplitCall* call) {
  const char key = Key(field, kBytes);
  call->Text({&key, 1}).Text(Varint(static_cast<uint32_t>(size)).Text());
}

void Number(Field field, uint8_t number, SplitCall* call) {
  const char key = Key(field, kNumber);
  call->Text({&key, 1}).Text(Varint(number).Text());
}

}  // namespace

Protobuf::Protobuf(const Options& options)
    : call_(SentBody(options, SentBody::Form::kPlain)), max_reply_(MaxReply(options)) {
  const char seq = Key(kSeq, kNumber);
  call_.Text(std::string_view("\0\0\0\0\0", kEnvelope)).Text({&seq, 1}).Seq();
  Number(kType, kCall, &call_);
  Bytes(kMethod, options.method.size(), &call_);
  call_.Text(options.method);
  Bytes(kStatus, kOkStatus.size(), &call_);
  call_.Text(kOkStatus);
  Bytes(kMeta, kEmptyMeta.size(), &call_);
  call_.Text(kEmptyMeta);
  Number(kCodec, kJsonCodec, &call_);
  Bytes(kBody, options.body_bytes, &call_);
  call_.Body();
}

size_t Protobuf::Build(uint32_t connection, int32_t seq, char* out) const {
  const size_t size = call_.Build(connection, seq, Varint(static_cast<uint32_t>(seq)).Text(), out);
  PutEnvelope(out, size);
  return size;
}

const char* Protobuf::Check(Reply& reply, int32_t* seq) const {
  if (reply.filtered) return "it has transfer filters, the CALL had none";
  std::string_view rest = reply.payload;
  Taken taken{};
  uint64_t type = 0, codec = 0;
  bool has_meta = false;
  *seq = 0;
  reply.body = {};
  while (!rest.empty()) {
    if (!TakeField(&rest, &taken)) return "its payload is no Protobuf message";
    if (taken.field == kSeq) *seq = static_cast<int32_t>(taken.number);
    if (taken.field == kType) type = taken.number;
    if (taken.field == kStatus && !taken.bytes.empty() && taken.bytes != kOkStatus) return "status is not OK";
    if (taken.field == kMeta) has_meta = true;
    if (taken.field == kCodec) codec = taken.number;
    if (taken.field == kBody) reply.body = taken.bytes;
  }
  if (type != kReply) return "type is not REPLY";
  if (!has_meta) return "it has no meta, for which Go drops a connection";
  return codec == kJsonCodec ? nullptr : "body codec is not the call's";
}

}  // namespace dmicro_bench
