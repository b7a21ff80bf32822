package main

import (
	"crypto/tls"
	"encoding/json"
	"net"
	"os"

	"bench-peer/echomessage"
	"bench-peer/echoobject"
	"bench-peer/echotext"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/proto"
	"github.com/osgochina/dmicro/drpc/proto/httpproto"
	"github.com/osgochina/dmicro/drpc/proto/jsonproto"
	"github.com/osgochina/dmicro/drpc/proto/jsonrpcproto"
	"github.com/osgochina/dmicro/drpc/proto/pbproto"
	"github.com/osgochina/dmicro/drpc/proto/rawproto"
)

const dmicroRoute = "/bench/echo"

// announcer learns the port the listener got.
type announcer struct{}

func (announcer) Name() string { return "announcer" }

func (announcer) AfterListen(address net.Addr) error {
	announce(address.String())
	return nil
}

// dmicroProtocols are made when they are asked for: that of HTTP changes how DMicro names its routes.
var dmicroProtocols = map[string]func() proto.ProtoFunc{
	"raw":      func() proto.ProtoFunc { return rawproto.RawProtoFunc },
	"json":     func() proto.ProtoFunc { return jsonproto.NewJSONProtoFunc() },
	"protobuf": func() proto.ProtoFunc { return pbproto.NewPbProtoFunc() },
	"jsonrpc":  func() proto.ProtoFunc { return jsonrpcproto.NewJSONRPCProtoFunc() },
	"http":     func() proto.ProtoFunc { return httpproto.NewHTTProtoFunc() },
}

// readCertificate takes the file that servers in JavaScript take too.
func readCertificate(file string) tls.Certificate {
	var pair struct{ Key, Cert string }
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &pair)
	}
	if err != nil {
		fail("certificate %q: %v", file, err)
	}
	certificate, err := tls.X509KeyPair([]byte(pair.Cert), []byte(pair.Key))
	if err != nil {
		fail("certificate %q: %v", file, err)
	}
	return certificate
}

func controllerOf(s shape) any {
	switch s {
	case anObject:
		return new(echoobject.Bench)
	case aMessage:
		return new(echomessage.Bench)
	default:
		return new(echotext.Bench)
	}
}

func serveDMicro(o serverOptions) {
	quiet()
	newProtocol, known := dmicroProtocols[o.protocol]
	if !known {
		fail("unknown protocol %q; known: %s", o.protocol, protocolNames)
	}
	protocol := newProtocol()
	p := o.payload
	endpoint := drpc.NewEndpoint(
		drpc.EndpointConfig{Network: o.network, LocalIP: "127.0.0.1", ListenIP: o.host, DefaultBodyCodec: p.codec}, announcer{})
	if o.network == "quic" {
		endpoint.SetTLSConfig(&tls.Config{Certificates: []tls.Certificate{readCertificate(o.secret)}, NextProtos: []string{"http/1.1", "h2"}})
	}
	if names := endpoint.RouteCall(controllerOf(p.shape)); len(names) != 1 || names[0] != dmicroRoute {
		fail("DMicro's mapper gave %q, want %q", names, dmicroRoute)
	}
	go func() {
		err := endpoint.ListenAndServe(protocol)
		fail("the server ended: %v", err)
	}()
	untilParentEnds()
}
