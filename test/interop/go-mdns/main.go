// Command dmicro-interop-mdns is the mDNS registry of the real Go DMicro, told by lines of JSON on stdin what to do.
// Each command is answered by one line on stdout; what a watch sees comes as further lines.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"sync"

	"github.com/gogf/gf/v2/os/glog"
	"github.com/osgochina/dmicro/client"
	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/registry"
	"github.com/osgochina/dmicro/selector"
	"github.com/osgochina/dmicro/server"
)

type command struct {
	Op      string            `json:"op"`
	Name    string            `json:"name"`
	Service *registry.Service `json:"service"`
	Count   int               `json:"count"`
}

type answer struct {
	Event    string              `json:"event,omitempty"`
	Error    string              `json:"error,omitempty"`
	Services []*registry.Service `json:"services"`
	// Answers is how many calls each kind of server answered.
	Answers map[string]int `json:"answers,omitempty"`
}

// Math is the service that is served and called.
type Math struct{ drpc.CallCtx }

// Who says what kind of server answers.
func (m *Math) Who(_ *int) (string, *drpc.Status) { return "go", nil }

var (
	rpc *server.RpcServer
	cli *client.RpcClient
)

// serve starts an RpcServer that registers itself.
func serve(name string) {
	rpc = server.NewRpcServer(name,
		server.OptListenAddress("127.0.0.1:0"),
		server.OptRegistry(newRegistry(registry.OptServiceName(name), registry.OptServiceVersion("1.0.0"))))
	rpc.RouteCall(new(Math))
	go func() { _ = rpc.ListenAndServe() }()
}

// calls makes so many calls by one RpcClient, one after the other.
func calls(name string, count int) answer {
	if cli == nil {
		cli = client.NewRpcClient(name, client.OptSelector(selector.NewSelector(selector.OptRegistry(newRegistry()))))
	}
	answers := map[string]int{}
	for i := 0; i < count; i++ {
		var who string
		if status := cli.Call("/math/who", 0, &who).Status(); !status.OK() {
			return answer{Error: status.String()}
		}
		answers[who]++
	}
	return answer{Answers: answers}
}

var (
	out   = json.NewEncoder(os.Stdout)
	outMu sync.Mutex
)

func say(a answer) {
	outMu.Lock()
	defer outMu.Unlock()
	_ = out.Encode(a)
}

// run does one command; its error becomes text.
func run(r registry.Registry, c command) (services []*registry.Service, err error) {
	switch c.Op {
	case "register":
		err = r.Register(c.Service)
	case "deregister":
		err = r.Deregister(c.Service)
	case "get":
		services, err = r.GetService(c.Name)
	case "list":
		services, err = r.ListServices()
	case "watch":
		err = watch(r, c.Name)
	}
	return services, err
}

func watch(r registry.Registry, name string) error {
	w, err := r.Watch(func(o *registry.WatchOptions) { o.Service = name })
	if err != nil {
		return err
	}
	go func() {
		for {
			result, err := w.Next()
			if err != nil {
				return
			}
			say(answer{Event: result.Action.String(), Services: []*registry.Service{result.Service}})
		}
	}()
	return nil
}

// newRegistry uses the domain of the only argument, which keeps tests apart from everything else in the network.
func newRegistry(opts ...registry.Option) registry.Registry {
	return registry.NewRegistry(append(opts, func(o *registry.Options) {
		o.Context = context.WithValue(o.Context, "mdns.domain", os.Args[1])
	})...)
}

func main() {
	log := drpc.GetLogger()
	log.SetStdoutPrint(false)
	log.SetWriter(os.Stderr)
	log.SetLevel(glog.LEVEL_PROD)
	r := newRegistry()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			say(answer{Error: err.Error()})
			continue
		}
		switch c.Op {
		case "serve":
			serve(c.Name)
			say(answer{})
			continue
		case "stop":
			rpc.Close()
			say(answer{})
			continue
		case "calls":
			say(calls(c.Name, c.Count))
			continue
		}
		services, err := run(r, c)
		if err != nil {
			say(answer{Error: err.Error()})
			continue
		}
		say(answer{Services: services})
	}
}
