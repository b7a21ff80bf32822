#pragma once

#include <memory>
#include <string>

#include "layer/layer.h"
#include "layer/tls_context.h"

namespace dmicro {

// Kinds of events. src/transports/native/tls.ts has the same, and reads their payloads.
//
// kTlsHello: a client's wishes, before it is answered: u16 length and name of the server, then the protocols of ALPN,
// each with its length before it.
// kTlsSecure: the handshake is done: u16 version, u8 whether a session was resumed, i32 result of the verification
// (0: valid), u8 length and name of the protocol of ALPN, then the peer's certificate in DER, if it has shown one.
enum TlsEvent : int32_t { kTlsHello = 1, kTlsSecure = 2 };

// TLS of one connection, by OpenSSL. Records are written and read without buffers of their own: OpenSSL reads the bytes
// that Receive is given, and appends to the queue that it is given.
class TlsLayer final : public Layer {
 public:
  // `context` outlives the layer's OpenSSL object. `server`: name for the SNI of a client, empty for none; `key`: what
  // its sessions are kept under.
  explicit TlsLayer(std::shared_ptr<TlsContext> context, const std::string& server = {}, std::string key = {});
  ~TlsLayer() override;

  // Begins the handshake of a client.
  void Start(ByteQueue* out);
  // Answers kTlsHello. `identity` null: the context's own certificates. `protocol`: chosen of those that the client
  // offers, empty to let the context choose.
  void Answer(bool refuse, std::shared_ptr<TlsIdentity> identity, std::string protocol);

  LayerStatus Receive(Bytes* in, uint8_t* to, size_t size, size_t* n, ByteQueue* out) override;
  bool Send(Bytes bytes, ByteQueue* out) override;
  void End(ByteQueue* out) override;
  bool Ended() const override { return ended_; }
  LayerEvent TakeEvent() override;
  // Negative: the result of the verification; positive: OpenSSL's error code.
  int32_t Error() const override { return error_; }

  // Returns whether `list` is a list of names of ALPN, each with its length before it.
  static bool IsProtocolList(const std::string& list);

  // Callbacks of OpenSSL.
  static void OnMessage(int written, int version, int type, const void* data, size_t size, ssl_st* connection, void*);
  static int OnNewSession(ssl_st* connection, ssl_session_st* session);
  static int OnClientHello(ssl_st* connection, int* alert, void*);
  static int OnAlpn(ssl_st* connection, const uint8_t** chosen, uint8_t* chosen_size, const uint8_t* offered,
                    unsigned offered_size, void*);

 private:
  enum class Hello : uint8_t { kNone, kAsked, kAccepted, kRefused };

  // One call of OpenSSL: what it reads and writes meanwhile.
  class Run;

  LayerStatus Handshake();
  LayerStatus Fail();
  void NoteLate();
  std::string Facts() const;
  int Greet(int* alert);

  const std::shared_ptr<TlsContext> context_;
  const OpenSsl& ssl_;
  ssl_st* const connection_;
  // Only during the handshake, and for the sessions of a client.
  struct Opening {
    std::string key;
    std::string event;  // payload of the event that is due
    int32_t event_kind = 0;
    Hello hello = Hello::kNone;
    std::shared_ptr<TlsIdentity> identity;
    std::string protocol;
  };
  std::unique_ptr<Opening> opening_;
  int32_t error_ = 0;
  uint32_t late_left_;        // messages of the handshake that the peer may still send after it
  uint32_t late_second_ = 0;  // when one was added last
  bool secure_ = false;
  bool ended_ = false;
  bool end_sent_ = false;
  bool failed_ = false;
};

}  // namespace dmicro
