#include "protocols/jsonrpc.h"

#include "protocols/decimal.h"
#include "protocols/json_object.h"
#include "reply_limit.h"

namespace dmicro_bench {

JsonRpc::JsonRpc(const Options& options)
    : call_(SentBody(options, SentBody::Form::kPlain)), max_reply_(MaxReply(options)) {
  call_.Text(R"({"jsonrpc":"2.0","method":")").Text(options.method).Text(R"(","params":)").Body();
  call_.Text(R"(,"id":)").Seq().Text(R"(,"context":{}})").Text("\r\n");
}

size_t JsonRpc::Build(uint32_t connection, int32_t seq, char* out) const {
  return call_.Build(connection, seq, DecimalSeq(seq).Text(), out);
}

Parse JsonRpc::Cut(std::string_view received, Reply* reply) const {
  const size_t end = received.find('\n');
  if (end == std::string_view::npos) return received.size() > max_reply_ ? Parse::kBad : Parse::kPartial;
  reply->size = end + 1;
  reply->line = received.substr(0, end);
  return Parse::kWhole;
}

const char* JsonRpc::Check(Reply& reply, int32_t* seq) const {
  JsonObject response(reply.line);
  std::string_view key, value;
  bool has_id = false, is_2 = false;
  reply.result = {};
  JsonObject::Step step;
  while ((step = response.Next(&key, &value)) == JsonObject::Step::kMember) {
    if (key == "jsonrpc") is_2 = value == R"("2.0")";
    if (key == "id") has_id = DecodeDecimal(value, seq);
    if (key == "result") reply.result = value;
    if (key == "error" && value != "null") return "it is an error";
    if (key == "method") return "it is no response";
  }
  if (step == JsonObject::Step::kBad) return "it is no JSON object";
  if (!is_2) return "jsonrpc is not 2.0";
  return has_id ? nullptr : "id is no int32";
}

}  // namespace dmicro_bench
