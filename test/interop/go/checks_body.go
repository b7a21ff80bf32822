package main

import (
	"strings"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
)

// awkward holds what encoders like to escape, drop or split.
const awkward = "héllo 世界 😀 <b>&</b> \"quoted\" back\\slash \n\t\x1b[31m \u00a0\u2028\ufeff"

var bodyChecks = []check{
	{name: "call json", row: "json", run: func(s drpc.Session) error {
		var sum int
		r := callWithin(s, "/math/add", []int{1, 2, 3, 4, 5}, &sum)
		return firstError(expectOK(r), expectEqual("sum", sum, 15), expectEqual("codec", r.codec, byte(codec.JsonId)))
	}},
	{name: "call json with a nested value", row: "json, awkward text", goFails: except{"json": w1}, run: func(s drpc.Session) error {
		sent := map[string]any{"text": awkward, "list": []any{1.5, true, nil, "x"}, "map": map[string]any{"": "empty key"}}
		var got any
		r := callWithin(s, "/echo/any", sent, &got)
		return firstError(expectOK(r), expectEqual("value", got, any(sent)))
	}},
	{name: "call json with awkward text", row: "json, awkward text", goFails: except{"json": w1}, run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", awkward, &got)
		return firstError(expectOK(r), expectEqual("text", got, awkward))
	}},
	{name: "call plain", row: "plain, awkward text", not: except{"jsonrpc": onlyJSON}, goFails: except{"json": w1}, run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", awkward, &got, drpc.WithBodyCodec(codec.PlainName))
		return firstError(expectOK(r), expectEqual("text", got, awkward), expectEqual("codec", r.codec, byte(codec.PlainId)))
	}},
	{name: "empty argument", row: "empty bodies", run: func(s drpc.Session) error {
		sum := -1
		r := callWithin(s, "/math/add", nil, &sum)
		return firstError(expectOK(r), expectEqual("sum", sum, 0))
	}},
	{name: "empty reply", row: "empty bodies", run: func(s drpc.Session) error {
		var got any
		r := callWithin(s, "/echo/any", nil, &got)
		return firstError(expectOK(r), expectEqual("value", got, nil), expectEqual("codec", r.codec, byte(codec.JsonId)))
	}},
	{name: "empty plain text", row: "empty bodies", not: except{"jsonrpc": onlyJSON}, run: func(s drpc.Session) error {
		var got string
		r := callWithin(s, "/echo/text", "", &got, drpc.WithBodyCodec(codec.PlainName))
		return firstError(expectOK(r), expectEqual("text", got, ""), expectEqual("codec", r.codec, byte(codec.PlainId)))
	}},
	{name: "1 MiB of json text both ways", row: "1 MiB bodies", goFails: except{"json": w1}, run: func(s drpc.Session) error {
		sent, got := mebibyte(), ""
		r := callWithin(s, "/echo/text", sent, &got)
		return firstError(expectOK(r), expectEqual("text", got, sent))
	}},
	{name: "1 MiB of raw bytes both ways", row: "1 MiB bodies", not: except{"jsonrpc": onlyJSON}, goFails: except{"json": w1}, run: func(s drpc.Session) error {
		// The bytes are UTF-8 and travel as plain, so a peer may hold them as text.
		sent, got := []byte(mebibyte()), []byte(nil)
		r := callWithin(s, "/echo/bytes", sent, &got, drpc.WithBodyCodec(codec.PlainName))
		return firstError(expectOK(r), expectEqual("bytes", got, sent))
	}},
}

// mebibyte is exactly 1 MiB and mixes one-byte and three-byte characters, so that some
// character straddles every buffer edge.
func mebibyte() string {
	const unit = "0123456789 abc 世界\n"
	text := strings.Repeat(unit, 1<<20/len(unit))
	return text + strings.Repeat(".", 1<<20-len(text))
}
