package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/osgochina/dmicro/client"
	"github.com/osgochina/dmicro/registry"
	"github.com/osgochina/dmicro/registry/memory"
	"github.com/osgochina/dmicro/server"
)

// rpcVersion is the version of the services of these tests.
const rpcVersion = "1.0.0"

// runRPCServer is DMicro's RpcServer with all routes, until stdin closes.
func runRPCServer(args []string) {
	flags := flag.NewFlagSet("rpc-server", flag.ExitOnError)
	service := flags.String("service", "math", "name of the service")
	network := flags.String("network", "tcp", "tcp")
	listen := flags.String("listen", "127.0.0.1:0", "host:port")
	_ = flags.Parse(args)

	reg := memory.NewRegistry(registry.OptServiceName(*service), registry.OptServiceVersion(rpcVersion))
	rpc := server.NewRpcServer(*service,
		server.OptServiceVersion(rpcVersion),
		server.OptNetwork(*network),
		server.OptListenAddress(*listen),
		server.OptRegistry(reg),
		server.OptEnableHeartbeat(true),
		server.OptGlobalPlugin(announcer{}),
	)
	registerServerRoutes(rpc.Endpoint())
	go func() {
		err := rpc.ListenAndServe()
		fail("server ended: %v", err)
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// runRPCClient is DMicro's RpcClient on static nodes: it prints one line for each check.
func runRPCClient(args []string) {
	flags := flag.NewFlagSet("rpc-client", flag.ExitOnError)
	service := flags.String("service", "math", "name of the service")
	addr := flags.String("addr", "", "host:port of its node")
	_ = flags.Parse(args)
	time.AfterFunc(clientLimit, func() { fail("no end after %s", clientLimit) })

	rpc := client.NewRpcClient(*service,
		client.OptCustomService(&registry.Service{
			Name:    *service,
			Version: rpcVersion,
			Nodes:   []*registry.Node{{Id: *service + "-" + *addr, Address: *addr}},
		}),
		client.OptLocalIP("127.0.0.1"),
		client.OptHeartbeatTime(pingSeconds*time.Second),
	)
	registerClientRoutes(rpc.Endpoint())
	failed := false
	check := func(name string, run func() error) {
		err := run()
		line := result{Name: name, OK: err == nil}
		if err != nil {
			line.Detail = err.Error()
			failed = true
		}
		_ = json.NewEncoder(os.Stdout).Encode(line)
	}
	check("a call", func() error { return rpcExpect(rpc, "/math/add", []int{1, 2, 3}, 6) })
	check("a call back", func() error { return rpcExpect(rpc, "/call/back", 21, 42) })
	check("pushes back", func() error { return rpcExpect(rpc, "/push/back", 3, 3) })
	check("a push, then the calls of the same session", func() error {
		if stat := rpc.Push("/note", "from an RpcClient"); !stat.OK() {
			return fmt.Errorf("%s", stat.String())
		}
		return rpcExpect(rpc, "/math/add", []int{4}, 4)
	})
	check("a heartbeat, then a call", func() error {
		time.Sleep((pingSeconds + 1) * time.Second)
		return rpcExpect(rpc, "/math/add", []int{5}, 5)
	})
	rpc.Close()
	if failed {
		os.Exit(1)
	}
}

func rpcExpect(rpc *client.RpcClient, route string, arg any, want int) error {
	var got int
	if stat := rpc.Call(route, arg, &got).Status(); !stat.OK() {
		return fmt.Errorf("%s", stat.String())
	}
	if got != want {
		return fmt.Errorf("got %d, want %d", got, want)
	}
	return nil
}
