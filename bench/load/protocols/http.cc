#include "protocols/http.h"

#include <string>

#include "protocols/decimal.h"
#include "protocols/http_headers.h"
#include "reply_limit.h"

namespace dmicro_bench {
namespace {

constexpr std::string_view kEmptyLine = "\r\n\r\n";
constexpr std::string_view kOkLine = "HTTP/1.1 200 OK\r\n";

}  // namespace

// Go names a host only when the service method has one, but HTTP/1.1 wants it in every request.
Http::Http(const Options& options) : call_(SentBody(options, SentBody::Form::kPlain)), max_reply_(MaxReply(options)) {
  const std::string host = options.unix_path.empty() ? options.host + ":" + std::to_string(options.port) : "localhost";
  call_.Text("POST ").Text(options.method).Text(" HTTP/1.1\r\nAccept-Encoding: gzip\r\nContent-Length: ");
  call_.Text(std::to_string(options.body_bytes)).Text("\r\nContent-Type: application/json;charset=utf-8\r\nHost: ");
  call_.Text(host).Text("\r\nUser-Agent: drpc-httpproto/1.1\r\nX-Mtype: 1\r\nX-Seq: ").Seq().Text(kEmptyLine);
  call_.Body();
}

size_t Http::Build(uint32_t connection, int32_t seq, char* out) const {
  return call_.Build(connection, seq, DecimalSeq(seq).Text(), out);
}

Parse Http::Cut(std::string_view received, Reply* reply) const {
  const size_t line = received.find(kEmptyLine);
  if (line == std::string_view::npos) return received.size() > kReplySlack ? Parse::kBad : Parse::kPartial;
  reply->head = received.substr(0, line + kEmptyLine.size());
  HttpHeaders headers(reply->head);
  std::string_view name, value;
  size_t length = 0;
  bool has_length = false;
  while (headers.Next(&name, &value)) {
    if (IsHeader(name, "content-length")) has_length = DecodeDecimal(value, &length);
  }
  if (!has_length || length > max_reply_) return Parse::kBad;
  reply->size = reply->head.size() + length;
  if (received.size() < reply->size) return Parse::kPartial;
  reply->body = received.substr(reply->head.size(), length);
  return Parse::kWhole;
}

const char* Http::Check(Reply& reply, int32_t* seq) const {
  if (!reply.head.starts_with(kOkLine)) return "it is not HTTP/1.1 200 OK";
  HttpHeaders headers(reply.head);
  std::string_view name, value;
  bool is_json = false;
  reply.has_seq = false;
  while (headers.Next(&name, &value)) {
    if (IsHeader(name, "x-seq")) {
      reply.has_seq = DecodeDecimal(value, seq);
      if (!reply.has_seq) return "X-Seq is no int32";
    }
    if (IsHeader(name, "content-type")) is_json = value.starts_with("application/json");
    if (IsHeader(name, "x-content-encoding") || IsHeader(name, "content-encoding")) return "it is encoded";
  }
  return is_json ? nullptr : "Content-Type is not the call's";
}

}  // namespace dmicro_bench
