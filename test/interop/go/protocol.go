package main

import (
	"io"
	"slices"
	"strings"

	"github.com/osgochina/dmicro/drpc/proto"
	"github.com/osgochina/dmicro/drpc/proto/httpproto"
	"github.com/osgochina/dmicro/drpc/proto/jsonproto"
	"github.com/osgochina/dmicro/drpc/proto/jsonrpcproto"
	"github.com/osgochina/dmicro/drpc/proto/pbproto"
	"github.com/osgochina/dmicro/drpc/proto/rawproto"
	"github.com/osgochina/dmicro/drpc/proto/redisproto"
)

// protocol is one application protocol of DMicro: how to get it, and what it can carry.
type protocol struct {
	name string
	// proto is called only when the protocol is used: making the one for http changes the
	// route mapper of the whole process.
	proto func() proto.ProtoFunc
	// read takes one frame off a connection, decode understands it. Neither uses DMicro.
	read   func(io.Reader) ([]byte, error)
	decode func([]byte) (frame, error)
	codecs string // ids of the codecs it carries
	// filters are the ids it applies. http announces no list: it has gzip, once.
	filters string
	push    bool
}

const allCodecs, allFilters = "jsfxp", "z5a"

var protocols = []*protocol{
	{name: "raw", proto: func() proto.ProtoFunc { return rawproto.RawProtoFunc }, read: readRaw, decode: decodeRaw,
		codecs: allCodecs, filters: allFilters, push: true},
	{name: "json", proto: jsonproto.NewJSONProtoFunc, read: readSized, decode: decodeJSON,
		codecs: allCodecs, filters: allFilters, push: true},
	{name: "protobuf", proto: pbproto.NewPbProtoFunc, read: readSized, decode: decodeProtobuf,
		codecs: allCodecs, filters: allFilters, push: true},
	{name: "http", proto: func() proto.ProtoFunc { return httpproto.NewHTTProtoFunc() }, read: readHTTP, decode: decodeHTTP,
		codecs: allCodecs, filters: "z"},
	{name: "jsonrpc", proto: jsonrpcproto.NewJSONRPCProtoFunc, read: readLine, decode: decodeJSONRPC, codecs: "j"},
	// What RESP carries is no message of ours: it has vectors of its own kind.
	{name: "redis", proto: redisproto.NewRedisProtoFunc, read: readRESP},
}

// protocolNamed ends the program at a name that is none.
func protocolNamed(name string) *protocol {
	names := []string{}
	for _, p := range protocols {
		if p.name == name {
			return p
		}
		names = append(names, p.name)
	}
	fail("no protocol %q: it is one of %s", name, strings.Join(names, ", "))
	return nil
}

// is says whether this is one of the named protocols.
func (p *protocol) is(names ...string) bool { return slices.Contains(names, p.name) }

// carries says whether every filter of a pipe is one the protocol applies; http has only one at a time.
func (p *protocol) carries(pipe string) bool {
	if p.is("http") && len(pipe) > 1 {
		return false
	}
	return strings.Trim(pipe, p.filters) == ""
}
