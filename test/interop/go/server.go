package main

import (
	"encoding/json"
	"flag"
	"io"
	"net"
	"os"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/plugin/redis"
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

// newServer has the routes for a protocol; those of redis are commands.
func newServer(p *protocol, cfg drpc.EndpointConfig, plugins ...drpc.Plugin) drpc.Endpoint {
	if p.is("redis") {
		endpoint := drpc.NewEndpoint(cfg, append(plugins, redis.NewRedisPlugin())...)
		registerRedisRoutes(endpoint)
		return endpoint
	}
	endpoint := drpc.NewEndpoint(cfg, plugins...)
	registerServerRoutes(endpoint)
	return endpoint
}

func runServer(args []string) {
	flags := flag.NewFlagSet("server", flag.ExitOnError)
	network := flags.String("network", "tcp", "tcp, tcp6 or unix")
	listen := flags.String("listen", "127.0.0.1:0", "host:port, or a path for unix")
	protoName := flags.String("proto", "raw", "application protocol")
	more := serverPluginFlags(flags)
	plugins := flags.String("plugins", "", "comma-separated: ping-call, ping-push, pong, secure")
	tls := flags.String("tls", "", "files of a certificate and its key, separated by a comma")
	_ = flags.Parse(args)

	p := protocolNamed(*protoName)
	protoFunc := p.proto()
	list := append(more.list(p), pluginsNamed(*plugins)...)
	endpoint := newServer(p, listenConfig(*network, *listen), append(list, announcer{})...)
	useTLS(endpoint, *tls, false)
	go func() {
		err := endpoint.ListenAndServe(protoFunc)
		fail("server ended: %v", err)
	}()

	// The parent holds our stdin: when it dies, so do we, whatever still runs.
	_, _ = io.Copy(io.Discard, os.Stdin)
	if *network == "unix" {
		_ = os.Remove(*listen)
	}
	os.Exit(0)
}
