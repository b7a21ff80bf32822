package main

import (
	"encoding/json"
	"flag"
	"io"
	"net"
	"os"

	"github.com/osgochina/dmicro/drpc"
)

// announcer prints where the server listens, which only the listener knows when the port is 0.
type announcer struct{}

func (announcer) Name() string { return "announcer" }

func (announcer) AfterListen(addr net.Addr) error {
	return json.NewEncoder(os.Stdout).Encode(map[string]string{
		"network": addr.Network(),
		"address": addr.String(),
	})
}

func runServer(args []string) {
	flags := flag.NewFlagSet("server", flag.ExitOnError)
	network := flags.String("network", "tcp", "tcp, tcp6 or unix")
	listen := flags.String("listen", "127.0.0.1:0", "host:port, or a path for unix")
	_ = flags.Parse(args)

	endpoint := drpc.NewEndpoint(listenConfig(*network, *listen), announcer{})
	registerServerRoutes(endpoint)
	go func() {
		err := endpoint.ListenAndServe()
		fail("server ended: %v", err)
	}()

	// The parent holds our stdin: when it dies, so do we, whatever still runs.
	_, _ = io.Copy(io.Discard, os.Stdin)
	if *network == "unix" {
		_ = os.Remove(*listen)
	}
	os.Exit(0)
}
