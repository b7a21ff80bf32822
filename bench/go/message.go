package main

import (
	"slices"

	"github.com/osgochina/dmicro/tests/benchmark"
)

// newMessage is the message of DMicro's own benchmark (its tests/benchmark_protobuf_test.go): 567 bytes as Protobuf.
func newMessage() *benchmark.BenchmarkMessage {
	const i, s = 100000, "如果爱，请深爱，老男人情话大赏!"
	return &benchmark.BenchmarkMessage{
		Field1: s, Field2: i, Field3: i, Field4: s, Field5: []string{s, s, s}, Field6: i, Field7: s, Field8: s,
		Field9: true, Field10: true, Field11: true, Field12: true, Field13: i, Field14: s, Field15: i, Field16: 9999,
		Field18: 11111, Field22: 111111111, Field23: 22222222, Field24: 22222222, Field28: 2223333,
		Field29: 45778888, Field30: s, Field31: "aaaaaa", Field32: 12222, Field33: i, Field34: "fdsfsdfsafadsfsfa",
		Field35: i, Field36: 23456, Field37: i, Field38: i, Field39: i, Field40: i,
	}
}

// sameMessage compares every field. proto.Equal would do it through reflection, for more than the call itself costs.
func sameMessage(a, b *benchmark.BenchmarkMessage) bool {
	return a.Field1 == b.Field1 && a.Field2 == b.Field2 && a.Field3 == b.Field3 && a.Field4 == b.Field4 &&
		slices.Equal(a.Field5, b.Field5) && a.Field6 == b.Field6 && a.Field7 == b.Field7 && a.Field8 == b.Field8 &&
		a.Field9 == b.Field9 && a.Field10 == b.Field10 && a.Field11 == b.Field11 && a.Field12 == b.Field12 &&
		a.Field13 == b.Field13 && a.Field14 == b.Field14 && a.Field15 == b.Field15 && a.Field16 == b.Field16 &&
		a.Field17 == b.Field17 && a.Field18 == b.Field18 && a.Field19 == b.Field19 && a.Field20 == b.Field20 &&
		a.Field21 == b.Field21 && a.Field22 == b.Field22 && a.Field23 == b.Field23 && a.Field24 == b.Field24 &&
		a.Field25 == b.Field25 && a.Field26 == b.Field26 && a.Field27 == b.Field27 && a.Field28 == b.Field28 &&
		a.Field29 == b.Field29 && a.Field30 == b.Field30 && a.Field31 == b.Field31 && a.Field32 == b.Field32 &&
		a.Field33 == b.Field33 && a.Field34 == b.Field34 && a.Field35 == b.Field35 && a.Field36 == b.Field36 &&
		a.Field37 == b.Field37 && a.Field38 == b.Field38 && a.Field39 == b.Field39 && a.Field40 == b.Field40
}
