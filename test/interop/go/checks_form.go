package main

import (
	"net/url"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
)

var formChecks = []check{
	{name: "call form with values", row: "form in full", not: except{"jsonrpc": onlyJSON}, run: func(s drpc.Session) error {
		sent := url.Values{"b": {"2", "1", "3"}, "a key": {awkward}, "": {""}, "&=+%;": {"&=+%;", " "}, "__proto__": {"x"}}
		got := url.Values{}
		r := callWithin(s, "/form/values", sent, &got, drpc.WithBodyCodec(codec.FormName))
		return firstError(expectOK(r), expectEqual("codec", r.codec, byte(codec.FormId)), expectEqual("values", got, sent))
	}},
	{name: "call form with a struct", row: "form in full", not: except{"jsonrpc": onlyJSON}, run: func(s drpc.Session) error {
		// The tags read the same in both directions: DMicro turns them round when it writes.
		sent := Person{Name: awkward, Age: -42, Score: 1e-7, Admin: true, Tags: []string{"a", "b&c", "a"}}
		var got Person
		r := callWithin(s, "/form/person", &sent, &got, drpc.WithBodyCodec(codec.FormName))
		return firstError(expectOK(r), expectEqual("person", got, sent))
	}},
	{name: "a form that cannot be read is a 400", row: "form in full", not: except{"jsonrpc": onlyJSON}, run: func(s drpc.Session) error {
		for _, body := range []string{"a=%zz", "a=1;b=2"} {
			var got url.Values
			r := callWithin(s, "/form/values", []byte(body), &got, drpc.WithBodyCodec(codec.FormName))
			if err := expectStatus(r, drpc.CodeBadMessage, "Bad Message"); err != nil {
				return err
			}
		}
		return nil
	}},
}
