package main

import (
	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
)

var metaChecks = []check{
	{name: "meta both ways", run: func(s drpc.Session) error {
		var seen map[string]string
		r := callWithin(s, "/meta/echo", map[string]string{"from": "server", "text": awkward}, &seen,
			drpc.WithSetMeta("author", "osgochina"), drpc.WithSetMeta("text", awkward), drpc.WithSetMeta("ключ<&>", ""))
		return firstError(expectOK(r),
			expectEqual("meta of the call", seen, map[string]string{"author": "osgochina", "text": awkward, "ключ<&>": ""}),
			expectEqual("meta of the reply", r.meta, map[string]any{replyCountKey: "3", "from": "server", "text": awkward}))
	}},
	{name: "no meta of the call in the reply", run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", "x", &got, drpc.WithSetMeta("author", "osgochina"))
		return firstError(expectOK(r), expectEqual("meta of the reply", r.meta, map[string]any{}))
	}},
	{name: "X-Accept-Body-Codec chooses the reply's codec", run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", "text", &got, drpc.WithAcceptBodyCodec(codec.PlainId))
		return firstError(expectOK(r), expectEqual("text", got, "text"), expectEqual("codec", r.codec, byte(codec.PlainId)))
	}},
	{name: "X-Accept-Body-Codec from plain to json", run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", "text", &got, drpc.WithBodyCodec(codec.PlainName), drpc.WithAcceptBodyCodec(codec.JsonId))
		return firstError(expectOK(r), expectEqual("text", got, "text"), expectEqual("codec", r.codec, byte(codec.JsonId)))
	}},
	{name: "an unknown X-Accept-Body-Codec is ignored", run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", "text", &got, drpc.WithAcceptBodyCodec(200))
		return firstError(expectOK(r), expectEqual("text", got, "text"), expectEqual("codec", r.codec, byte(codec.JsonId)))
	}},
	{name: "a malformed X-Accept-Body-Codec is ignored", run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", "text", &got, drpc.WithSetMeta(drpc.MetaAcceptBodyCodec, "json"))
		return firstError(expectOK(r), expectEqual("text", got, "text"), expectEqual("codec", r.codec, byte(codec.JsonId)))
	}},
}
