package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
	"github.com/osgochina/dmicro/tests/benchmark"
	"google.golang.org/protobuf/proto"
)

var protoChecks = []check{
	{name: "call protobuf", row: "protobuf in full", not: except{"jsonrpc": onlyJSON, "json": w1Bytes}, run: func(s drpc.Session) error {
		sent := benchmarkMessage()
		want := benchmarkMessage()
		want.Field1 = "OK"
		return callProto(s, "/proto/echo", sent, want)
	}},
	{name: "call protobuf with awkward text and the ends of integers", row: "protobuf in full", not: except{"jsonrpc": onlyJSON, "json": w1Bytes}, run: func(s drpc.Session) error {
		sent := &benchmark.BenchmarkMessage{
			Field1: awkward, Field2: math.MinInt32, Field3: math.MaxInt32, Field5: []string{"", awkward, strings.Repeat("界", 5000)},
			Field16: math.MinInt64, Field9: true,
		}
		return firstError(callProto(s, "/proto/same", sent, sent),
			callProto(s, "/proto/same", &benchmark.BenchmarkMessage{Field16: math.MaxInt64}, &benchmark.BenchmarkMessage{Field16: math.MaxInt64}))
	}},
	{name: "call protobuf with a message of defaults", row: "protobuf in full", not: except{"jsonrpc": onlyJSON}, run: func(s drpc.Session) error {
		return callProto(s, "/proto/same", &benchmark.BenchmarkMessage{}, &benchmark.BenchmarkMessage{})
	}},
	{name: "call protobuf with nil", row: "protobuf in full", not: except{"jsonrpc": onlyJSON}, run: func(s drpc.Session) error {
		return callProto(s, "/proto/same", nil, &benchmark.BenchmarkMessage{})
	}},
	{name: "protobuf that cannot be read is a 400", row: "protobuf in full", not: except{"jsonrpc": onlyJSON, "json": w1Bytes}, run: func(s drpc.Session) error {
		var got benchmark.BenchmarkMessage
		r := callWithin(s, "/proto/same", []byte{0x08, 0xff}, &got, drpc.WithBodyCodec(codec.ProtobufName))
		return firstError(expectStatus(r, drpc.CodeBadMessage, "Bad Message"), callProto(s, "/proto/same", &got, &got))
	}},
	{name: "1 MiB of protobuf both ways", row: "1 MiB bodies", not: except{"jsonrpc": onlyJSON, "json": w1Bytes}, run: func(s drpc.Session) error {
		sent := &benchmark.BenchmarkMessage{Field4: mebibyte(), Field40: 40}
		return callProto(s, "/proto/same", sent, sent)
	}},
}

func callProto(s drpc.Session, method string, sent any, want *benchmark.BenchmarkMessage) error {
	var got benchmark.BenchmarkMessage
	r := callWithin(s, method, sent, &got, drpc.WithBodyCodec(codec.ProtobufName))
	if err := firstError(expectOK(r), expectEqual("codec", r.codec, byte(codec.ProtobufId))); err != nil {
		return err
	}
	if !proto.Equal(&got, want) {
		return fmt.Errorf("message is %s, want %s", brief(got.String()), brief(want.String()))
	}
	return nil
}

// benchmarkMessage is what DMicro's own benchmark sends.
func benchmarkMessage() *benchmark.BenchmarkMessage {
	const i, s = 100000, "如果爱，请深爱，老男人情话大赏!"
	return &benchmark.BenchmarkMessage{
		Field1: s, Field2: i, Field3: i, Field4: s, Field5: []string{s, s, s}, Field6: i, Field7: s, Field8: s,
		Field9: true, Field10: true, Field11: true, Field12: true, Field13: i, Field14: s, Field15: i, Field16: 9999,
		Field18: 11111, Field22: 111111111, Field23: 22222222, Field24: 22222222, Field28: 2223333, Field29: 45778888,
		Field30: s, Field31: "aaaaaa", Field32: 12222, Field33: i, Field34: "fdsfsdfsafadsfsfa", Field35: i, Field36: 23456,
		Field37: i, Field38: i, Field39: i, Field40: i,
	}
}
