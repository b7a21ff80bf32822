package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/osgochina/dmicro/drpc"
)

// listenConfig turns "-network N -listen ADDR" into the separate fields DMicro wants.
func listenConfig(network, address string) drpc.EndpointConfig {
	if network == "unix" {
		return drpc.EndpointConfig{Network: network, ListenIP: address}
	}
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		fail("listen address %q: %v", address, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		fail("listen address %q: %v", address, err)
	}
	// LocalIP must suit the network even for an endpoint that only listens.
	return drpc.EndpointConfig{Network: network, LocalIP: host, ListenIP: host, ListenPort: uint16(port)}
}

// dialConfig also chooses a source address. DMicro always binds one: its default 0.0.0.0
// cannot reach IPv6 and, on unix sockets, becomes a file called "0.0.0.0".
// The returned function removes what the unix bind leaves behind.
func dialConfig(network string) (drpc.EndpointConfig, func()) {
	cfg := drpc.EndpointConfig{Network: network, DialTimeout: patience}
	switch network {
	case "tcp6":
		cfg.LocalIP = "::1"
	case "unix":
		dir, err := os.MkdirTemp("", "dmicro-interop-")
		if err != nil {
			fail("%v", err)
		}
		cfg.LocalIP = filepath.Join(dir, fmt.Sprintf("client-%d.sock", os.Getpid()))
		return cfg, func() { os.RemoveAll(dir) }
	}
	return cfg, func() {}
}
