package main

import (
	"net"

	"google.golang.org/grpc"
)

func serveGRPC(o serverOptions) {
	refuseUnlessGRPC(o.payload)
	if o.protocol != "raw" {
		fail("gRPC has a protocol of its own, not %s", o.protocol)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("%v", err)
	}
	server := grpc.NewServer()
	server.RegisterService(&grpcService, nil)
	go func() {
		err := server.Serve(listener)
		fail("the server ended: %v", err)
	}()
	announce(listener.Addr().String())
	untilParentEnds()
}
