package main

import (
	"context"

	"bench-peer/objectpb"

	"github.com/osgochina/dmicro/tests/benchmark"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	grpcTextMethod    = "/bench.Bench/EchoText"
	grpcObjectMethod  = "/bench.Bench/EchoObject"
	grpcMessageMethod = "/bench.Bench/EchoMessage"
)

// grpcService is written at hand, not generated, but is what the generator makes. A text travels as gRPC carries one,
// in Protobuf: with its tag and length it has as many bytes as the JSON string with its quotes (below 128 bytes).
var grpcService = grpc.ServiceDesc{
	ServiceName: "bench.Bench",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		{MethodName: "EchoText", Handler: echoGRPC[wrapperspb.StringValue]},
		{MethodName: "EchoObject", Handler: echoGRPC[objectpb.Object]},
		{MethodName: "EchoMessage", Handler: echoGRPC[benchmark.BenchmarkMessage]},
	},
}

func echoGRPC[T any](_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	message := new(T)
	if err := decode(message); err != nil {
		return nil, err
	}
	return message, nil
}

// refuseUnlessGRPC: gRPC carries Protobuf; JSON texts and the object have a counterpart there, a JSON message is another
// trial.
func refuseUnlessGRPC(p payload) {
	if p.name == "bench-json" {
		fail("gRPC has no counterpart of the payload bench-json")
	}
}
