package main

import (
	"encoding/xml"
	"math"
	"strings"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
)

// awkwardXML leaves out ESC, which no XML can hold.
var awkwardXML = strings.ReplaceAll(awkward, "\x1b", "]]>")

var xmlChecks = []check{
	{name: "call xml with a struct", row: "xml in full", not: except{"jsonrpc": onlyJSON}, goFails: except{"json": w1}, run: func(s drpc.Session) error {
		sent := Order{
			XMLName: xml.Name{Local: "order"}, ID: -7, Note: awkwardXML, Paid: true,
			Items: []Item{{Price: 0.5, Name: awkwardXML}, {Price: 1e21, Name: "tea"}, {Price: 1e-7}},
		}
		var got Order
		r := callWithin(s, "/xml/order", &sent, &got, drpc.WithBodyCodec(codec.XmlName))
		return firstError(expectOK(r), expectEqual("codec", r.codec, byte(codec.XmlId)), expectEqual("order", got, sent))
	}},
	{name: "call xml with text", row: "xml in full", not: except{"jsonrpc": onlyJSON}, goFails: except{"json": w1}, run: func(s drpc.Session) error {
		for _, sent := range []string{awkwardXML, "", " "} {
			var got string
			r := callWithin(s, "/echo/text", sent, &got, drpc.WithBodyCodec(codec.XmlName))
			if err := firstError(expectOK(r), expectEqual("text", got, sent)); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "call xml with an int", row: "xml in full", not: except{"jsonrpc": onlyJSON}, run: func(s drpc.Session) error {
		for _, sent := range []int{0, -5, math.MaxInt64, math.MinInt64, 1 << 53} {
			var got int
			r := callWithin(s, "/xml/int", sent, &got, drpc.WithBodyCodec(codec.XmlName))
			if err := firstError(expectOK(r), expectEqual("int", got, sent)); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "call xml with a float and a bool", row: "xml in full", not: except{"jsonrpc": onlyJSON}, run: func(s drpc.Session) error {
		for _, sent := range []float64{0.5, 2, 1e6, 1234567.5, 1e21, 1e-7, 5e-324, math.MaxFloat64, math.Inf(-1)} {
			var got float64
			r := callWithin(s, "/xml/float", sent, &got, drpc.WithBodyCodec(codec.XmlName))
			if err := firstError(expectOK(r), expectEqual("float", got, sent)); err != nil {
				return err
			}
		}
		got := false
		r := callWithin(s, "/xml/bool", true, &got, drpc.WithBodyCodec(codec.XmlName))
		return firstError(expectOK(r), expectEqual("bool", got, true))
	}},
	{name: "xml that cannot be read is a 400", row: "xml in full", not: except{"jsonrpc": onlyJSON}, run: func(s drpc.Session) error {
		var got Order
		r := callWithin(s, "/xml/order", []byte("<order><item></order>"), &got, drpc.WithBodyCodec(codec.XmlName))
		return expectStatus(r, drpc.CodeBadMessage, "Bad Message")
	}},
}
