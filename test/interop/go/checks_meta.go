package main

import (
	"strings"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
)

var metaChecks = []check{
	{name: "meta both ways", row: "meta, awkward text", not: except{"http": w5}, goFails: except{"json": w1}, run: func(s drpc.Session) error {
		var seen map[string]string
		r := callWithin(s, "/meta/echo", map[string]string{"from": "server", "text": awkward}, &seen,
			drpc.WithSetMeta("author", "osgochina"), drpc.WithSetMeta("text", awkward), drpc.WithSetMeta("ключ<&>", ""))
		return firstError(expectOK(r),
			expectEqual("meta of the call", seen, map[string]string{"author": "osgochina", "text": awkward, "ключ<&>": ""}),
			expectEqual("meta of the reply", r.meta, map[string]any{replyCountKey: "3", "from": "server", "text": awkward}))
	}},
	{name: "meta as headers", row: "meta", run: func(s drpc.Session) error {
		// What else the peer takes for meta is its affair, and so is the case of a name.
		var seen map[string]string
		r := callWithin(s, "/meta/echo", map[string]string{"from": "server"}, &seen, drpc.WithSetMeta("author", "héllo 世界"), drpc.WithSetMeta("b_c", "d"))
		return firstError(expectOK(r), expectEqual("author", folded(seen, "author"), "héllo 世界"),
			expectEqual("b_c", folded(seen, "b_c"), "d"), expectEqual("from", folded(r.meta, "from"), any("server")))
	}},
	{name: "meta of plain words both ways", row: "meta", not: except{"http": w5}, run: func(s drpc.Session) error {
		var seen map[string]string
		r := callWithin(s, "/meta/echo", map[string]string{"from": "server"}, &seen, drpc.WithSetMeta("author", "osgochina"))
		return firstError(expectOK(r), expectEqual("meta of the call", seen, map[string]string{"author": "osgochina"}),
			expectEqual("meta of the reply", r.meta, map[string]any{replyCountKey: "1", "from": "server"}))
	}},
	{name: "no meta of the call in the reply", row: "meta", goFails: except{"http": w5}, run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", "x", &got, drpc.WithSetMeta("author", "osgochina"))
		return firstError(expectOK(r), expectEqual("meta of the reply", r.meta, map[string]any{}))
	}},
	{name: "X-Accept-Body-Codec chooses the reply's codec", row: "X-Accept-Body-Codec", not: except{"jsonrpc": noAccept}, run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", "text", &got, drpc.WithAcceptBodyCodec(codec.PlainId))
		return firstError(expectOK(r), expectEqual("text", got, "text"), expectEqual("codec", r.codec, byte(codec.PlainId)))
	}},
	{name: "X-Accept-Body-Codec from plain to json", row: "X-Accept-Body-Codec", not: except{"jsonrpc": noAccept}, run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", "text", &got, drpc.WithBodyCodec(codec.PlainName), drpc.WithAcceptBodyCodec(codec.JsonId))
		return firstError(expectOK(r), expectEqual("text", got, "text"), expectEqual("codec", r.codec, byte(codec.JsonId)))
	}},
	{name: "an unknown X-Accept-Body-Codec is ignored", row: "X-Accept-Body-Codec", not: except{"jsonrpc": noAccept}, run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", "text", &got, drpc.WithAcceptBodyCodec(200))
		return firstError(expectOK(r), expectEqual("text", got, "text"), expectEqual("codec", r.codec, byte(codec.JsonId)))
	}},
	{name: "a malformed X-Accept-Body-Codec is ignored", row: "X-Accept-Body-Codec", not: except{"jsonrpc": noAccept}, run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", "text", &got, drpc.WithSetMeta(drpc.MetaAcceptBodyCodec, "json"))
		return firstError(expectOK(r), expectEqual("text", got, "text"), expectEqual("codec", r.codec, byte(codec.JsonId)))
	}},
}

// folded looks a name up in any case.
func folded[V any](meta map[string]V, name string) (value V) {
	for key := range meta {
		if strings.EqualFold(key, name) {
			return meta[key]
		}
	}
	return value
}
