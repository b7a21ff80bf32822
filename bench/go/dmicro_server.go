package main

import (
	"net"

	"bench-peer/echomessage"
	"bench-peer/echotext"

	"github.com/osgochina/dmicro/drpc"
)

const dmicroRoute = "/bench/echo"

// announcer learns the port the listener got.
type announcer struct{}

func (announcer) Name() string { return "announcer" }

func (announcer) AfterListen(address net.Addr) error {
	announce(address.String())
	return nil
}

func serveDMicro(p payload) {
	quiet()
	endpoint := drpc.NewEndpoint(
		drpc.EndpointConfig{LocalIP: "127.0.0.1", ListenIP: "127.0.0.1", DefaultBodyCodec: p.codec}, announcer{})
	var controller any = new(echotext.Bench)
	if p.text == 0 {
		controller = new(echomessage.Bench)
	}
	if names := endpoint.RouteCall(controller); len(names) != 1 || names[0] != dmicroRoute {
		fail("DMicro's mapper gave %q, want %q", names, dmicroRoute)
	}
	go func() {
		err := endpoint.ListenAndServe()
		fail("the server ended: %v", err)
	}()
	untilParentEnds()
}
