#include "protocols/json.h"

#include "protocols/decimal.h"
#include "protocols/json_object.h"
#include "reply_limit.h"

namespace dmicro_bench {
namespace {

// Status and meta are JSON within a string.
constexpr std::string_view kQuotedOk = R"("{\"code\":0,\"msg\":\"\",\"cause\":\"\"}")";
constexpr std::string_view kJsonCodecText = "106";

// Not to be told apart by a reader: JSON in a string, or JSON itself, or nothing.
bool IsOk(std::string_view status) { return status == kQuotedOk || status == kOkStatus || status == R"("")"; }

}  // namespace

Json::Json(const Options& options) : call_(SentBody(options, SentBody::Form::kQuoted)), max_reply_(MaxReply(options)) {
  call_.Text(std::string_view("\0\0\0\0\0", kEnvelope)).Text(R"({"seq":)").Seq();
  call_.Text(R"(,"mtype":1,"serviceMethod":")").Text(options.method).Text(R"(","status":)").Text(kQuotedOk);
  call_.Text(R"(,"meta":"{}","bodyCodec":)").Text(kJsonCodecText).Text(R"(,"body":")").Body().Text(R"("})");
}

size_t Json::Build(uint32_t connection, int32_t seq, char* out) const {
  const size_t size = call_.Build(connection, seq, DecimalSeq(seq).Text(), out);
  PutEnvelope(out, size);
  return size;
}

const char* Json::Check(Reply& reply, int32_t* seq) const {
  if (reply.filtered) return "it has transfer filters, the CALL had none";
  JsonObject document(reply.payload);
  std::string_view key, value;
  bool has_seq = false, is_reply = false, is_json = false;
  reply.body = {};
  JsonObject::Step step;
  while ((step = document.Next(&key, &value)) == JsonObject::Step::kMember) {
    if (key == "seq") has_seq = DecodeDecimal(value, seq);
    if (key == "mtype") is_reply = value == "2";
    if (key == "status" && !IsOk(value)) return "status is not OK";
    if (key == "bodyCodec") is_json = value == kJsonCodecText;
    if (key == "body") reply.body = value;
  }
  if (step == JsonObject::Step::kBad) return "its payload is no JSON object";
  if (!has_seq) return "seq is no int32";
  if (!is_reply) return "type is not REPLY";
  return is_json ? nullptr : "body codec is not the call's";
}

bool Json::IsBody(uint32_t connection, int32_t seq, const Reply& reply) const {
  const std::string_view body = reply.body;
  if (body.size() < 2 || body.front() != '"') return false;
  return call_.Sent().Is(connection, seq, body.substr(1, body.size() - 2));
}

}  // namespace dmicro_bench
