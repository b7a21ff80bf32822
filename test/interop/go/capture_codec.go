package main

import (
	"net/url"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
	"github.com/osgochina/dmicro/tests/benchmark"
)

// captureCodecs is every codec through every filter, and each codec with what is hardest for it.
func captureCodecs(rec *recorder) {
	for _, name := range []string{codec.JsonName, codec.PlainName} {
		newLine(rec).call("call-odd-text-"+name, "reply-odd-text-"+name, "/odd/text", nil, drpc.WithBodyCodec(name))
	}
	awkwardMessage := &benchmark.BenchmarkMessage{Field1: awkward, Field2: -1, Field3: 300}
	for _, c := range []struct {
		name, route    string
		value, awkward any
	}{
		{codec.JsonName, "/echo/any", map[string]any{"k": []any{1, "x"}}, awkward + "\a\v\x00\x7f"},
		{codec.PlainName, "/echo/text", tame, awkward + "\a\v\x00\x7f\xff"},
		{codec.FormName, "/form/values", url.Values{"k": {"a b", "&"}}, url.Values{awkward: {awkward, ""}}},
		{codec.XmlName, "/echo/text", "a<b", awkwardXML},
		{codec.ProtobufName, "/proto/same", &benchmark.BenchmarkMessage{Field1: tame, Field2: 65}, awkwardMessage},
	} {
		l := newLine(rec)
		for _, f := range filterRows {
			if rec.proto.carries(f.pipe) {
				l.call("call-codec-"+c.name+"-filter-"+f.name, "reply-codec-"+c.name+"-filter-"+f.name, c.route, c.value,
					drpc.WithBodyCodec(c.name), drpc.WithTFilterPipe([]byte(f.pipe)...))
			}
		}
		l.call("call-codec-"+c.name+"-awkward", "reply-codec-"+c.name+"-awkward", c.route, c.awkward, drpc.WithBodyCodec(c.name))
		l.push("push-codec-"+c.name, "/note", c.value, drpc.WithBodyCodec(c.name))
	}
}
