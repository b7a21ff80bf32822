package main

import (
	"fmt"
	"net/url"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
	"github.com/osgochina/dmicro/tests/benchmark"
)

// codecCase is a call that a codec can make, with text no protocol has trouble with: what
// awkward text does to each is another check.
type codecCase struct {
	name string
	id   byte
	call func(s drpc.Session, pipe string) error
	// goFails as in a check.
	goFails except
}

const tame = "plain words"

var codecCases = []codecCase{
	{codec.JsonName, codec.JsonId, func(s drpc.Session, pipe string) error {
		sent, got := []any{"x", 1.5, true}, []any{}
		return throughPipe(callWithin(s, "/echo/any", sent, &got, drpc.WithTFilterPipe([]byte(pipe)...)), codec.JsonId, &got, &sent)
	}, nil},
	{codec.PlainName, codec.PlainId, func(s drpc.Session, pipe string) error {
		sent, got := tame, ""
		return throughPipe(callAs(s, "/echo/text", sent, &got, codec.PlainName, pipe), codec.PlainId, &got, &sent)
	}, nil},
	{codec.FormName, codec.FormId, func(s drpc.Session, pipe string) error {
		sent, got := url.Values{"k": {"a b", "&"}}, url.Values{}
		return throughPipe(callAs(s, "/form/values", sent, &got, codec.FormName, pipe), codec.FormId, &got, &sent)
	}, nil},
	{codec.XmlName, codec.XmlId, func(s drpc.Session, pipe string) error {
		sent, got := tame, ""
		return throughPipe(callAs(s, "/echo/text", sent, &got, codec.XmlName, pipe), codec.XmlId, &got, &sent)
	}, nil},
	{codec.ProtobufName, codec.ProtobufId, func(s drpc.Session, pipe string) error {
		// Small numbers and text only: these bytes are UTF-8 in every protocol.
		var got benchmark.BenchmarkMessage
		sent := &benchmark.BenchmarkMessage{Field1: tame, Field2: 65}
		r := callAs(s, "/proto/same", sent, &got, codec.ProtobufName, pipe)
		text, want := got.String(), sent.String()
		return throughPipe(r, codec.ProtobufId, &text, &want)
	}, except{"json": w1}},
}

func callAs(s drpc.Session, method string, arg, result any, codecName, pipe string) reply {
	return callWithin(s, method, arg, result, drpc.WithBodyCodec(codecName), drpc.WithTFilterPipe([]byte(pipe)...))
}

func throughPipe(r reply, codecID byte, got, want any) error {
	return firstError(expectOK(r), expectEqual("codec", r.codec, codecID), expectEqual("value", got, want))
}

// filterRows are the columns of the compatibility page beside no filter at all.
var filterRows = []struct{ name, pipe string }{
	{"none", ""}, {"gzip", "z"}, {"md5", "5"}, {"aes", "a"}, {"gzip+md5", "z5"}, {"aes+gzip", "az"}, {"md5+aes", "5a"},
}

// codecChecks is every codec through every filter.
func codecChecks() []check {
	var all []check
	for _, c := range codecCases {
		for _, f := range filterRows {
			all = append(all, check{
				name:    fmt.Sprintf("codec %s, filter %s", c.name, f.name),
				row:     fmt.Sprintf("codec %s, filter %s", c.name, f.name),
				goFails: c.goFails,
				not:     unoffered(c.id, f.pipe),
				run:     func(s drpc.Session) error { return c.call(s, f.pipe) },
			})
		}
	}
	return all
}

// unoffered has the protocols that do not carry a codec or a pipe.
func unoffered(codecID byte, pipe string) except {
	not := except{}
	for _, p := range protocols {
		switch {
		case p.is("jsonrpc") && codecID != codec.JsonId:
			not[p.name] = onlyJSON
		case p.carries(pipe):
		case p.is("http"):
			not[p.name] = onlyGzip
		default:
			not[p.name] = noFilters
		}
	}
	return not
}
