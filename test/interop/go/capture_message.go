package main

import (
	"encoding/json"
	"strings"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
	"github.com/osgochina/dmicro/drpc/message"
)

func captureBodies(rec *recorder) {
	first := newLine(rec)
	first.call("call-math-add", "reply-math-add", "/math/add", []int{1, 2, 3, 4, 5}, drpc.WithSetMeta("author", "osgochina"))

	l := newLine(rec)
	plain := drpc.WithBodyCodec(codec.PlainName)
	l.call("call-empty-body", "reply-empty-body", "/echo/any", nil)
	l.call("call-json-text", "reply-json-text", "/echo/text", awkward)
	l.call("call-json-object", "reply-json-object", "/echo/any",
		map[string]any{"b": []any{1, -2.5, true, nil}, "a": map[string]any{"": "<&>"}, "ü": "世界"})
	l.call("call-json-null", "", "/echo/any", json.RawMessage("null"))
	l.call("call-raw-bytes", "reply-raw-bytes", "/echo/bytes", []byte{0, 1, 0x7f, 0x80, 0xff})
	l.call("call-plain-text", "reply-plain-text", "/echo/text", awkward, plain)
	l.call("call-plain-empty", "reply-plain-empty", "/echo/text", "", plain)
	l.call("call-plain-number", "", "/echo/text", 42, plain)
	l.call("call-xml", "reply-xml", "/echo/text", "a<b", drpc.WithBodyCodec(codec.XmlName))
	l.call("call-form", "reply-400-form", "/echo/text", map[string][]string{"k": {"a b", "&"}}, drpc.WithBodyCodec(codec.FormName))
	l.call("call-accept-plain", "reply-accept-plain", "/echo/text", "text", drpc.WithAcceptBodyCodec(codec.PlainId))
	l.call("call-4-kib", "reply-4-kib", "/echo/text", pattern(4096))
	l.push("push-json-text", "/note", awkward)
	l.push("push-plain-text", "/note", awkward, plain)
	l.push("push-empty-body", "/note", nil)
}

func captureMeta(rec *recorder) {
	l := newLine(rec)
	if rec.proto.is("http") {
		captureHeaders(l)
		return
	}
	l.call("call-meta-unicode", "reply-meta-from-handler", "/meta/echo", map[string]string{"answer": "<&> 世界 😀", "empty": ""},
		drpc.WithSetMeta("text", awkward), drpc.WithSetMeta("html", "<a href=\"x?y&z\">"), drpc.WithSetMeta("ключ", "\a\b\f\v\x00\x7f\u2029"))
	l.call("call-meta-invalid-utf8", "", "/echo/any", 1, drpc.WithSetMeta("bad\xff", "\xfe\x80"))
	l.call("call-meta-sorted", "", "/echo/any", 1, drpc.WithSetMeta("b", "2"), drpc.WithSetMeta("a", "1"),
		drpc.WithSetMeta("", "empty key"), drpc.WithSetMeta("B", "3"), drpc.WithSetMeta("é", "4"), drpc.WithRealIP("10.0.0.1"))
	// The setters write strings only; values put on the map keep their JSON type.
	l.call("call-meta-typed-values", "", "/echo/any", 1, func(m message.Message) {
		m.Meta().Set("int", 5)
		m.Meta().Set("big", int64(9007199254740993))
		m.Meta().Set("float", 1.5)
		m.Meta().Set("bool", true)
		m.Meta().Set("null", nil)
		m.Meta().Set("list", []int{1, 2})
	})
	l.call("call-meta-4-kib", "", "/echo/any", 1, drpc.WithSetMeta("long", pattern(4096)))
	l.push("push-meta", "/note", "x", drpc.WithSetMeta("k", "v"))
	l.call("call-with-status", "", "/echo/any", 1, drpc.WithStatus(drpc.NewStatus(7, "from the caller", "odd")))
}

func captureMethods(rec *recorder) {
	l := newLine(rec)
	if rec.proto.is("http") {
		captureTargets(l)
		return
	}
	l.call("call-method-255", "reply-404-method-255", "/"+strings.Repeat("m", 254), "x")
	l.push("push-method-255", "/"+strings.Repeat("p", 254), "x")
	l.call("call-method-unicode", "", "/消息/😀 <b>", "x")
	l.call("call-method-empty", "reply-400-empty-method", "", "x")
}

// pattern is n bytes that no filter or copy can get right by accident.
func pattern(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteByte(byte(' ' + (i*i+i/95)%95))
	}
	return b.String()
}
