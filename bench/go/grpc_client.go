package main

import (
	"context"
	"fmt"

	"bench-peer/objectpb"

	"github.com/osgochina/dmicro/tests/benchmark"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func dialGRPC(o clientOptions) dialer {
	refuseUnlessGRPC(o.payload)
	return func() (newCaller, error) {
		// Each ClientConn has an HTTP/2 connection of its own; it connects with its first call, in the warm-up.
		connection, err := grpc.NewClient("passthrough:///"+o.address,
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, fmt.Errorf("dial %s: %w", o.address, err)
		}
		return func(caller int) func() error {
			switch o.payload.shape {
			case anObject:
				return objectOverGRPC(connection, newObjectMessage(caller))
			case aMessage:
				return messageOverGRPC(connection)
			default:
				return textOverGRPC(connection, o.payload.textOf(caller))
			}
		}, nil
	}
}

func textOverGRPC(connection *grpc.ClientConn, text string) func() error {
	sent := wrapperspb.String(text)
	return func() error {
		var reply wrapperspb.StringValue
		if err := connection.Invoke(context.Background(), grpcTextMethod, sent, &reply); err != nil {
			return err
		}
		if reply.Value != text {
			return fmt.Errorf("wrong reply %q, sent %q", reply.Value, text)
		}
		return nil
	}
}

func objectOverGRPC(connection *grpc.ClientConn, sent *objectpb.Object) func() error {
	return func() error {
		var reply objectpb.Object
		if err := connection.Invoke(context.Background(), grpcObjectMethod, sent, &reply); err != nil {
			return err
		}
		if !sameObjectMessage(&reply, sent) {
			return fmt.Errorf("wrong reply %v, sent %v", &reply, sent)
		}
		return nil
	}
}

func messageOverGRPC(connection *grpc.ClientConn) func() error {
	sent := newMessage()
	return func() error {
		var reply benchmark.BenchmarkMessage
		if err := connection.Invoke(context.Background(), grpcMessageMethod, sent, &reply); err != nil {
			return err
		}
		if !sameMessage(&reply, sent) {
			return fmt.Errorf("wrong reply %v", &reply)
		}
		return nil
	}
}
