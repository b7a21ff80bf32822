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
	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/registry"
)

type command struct {
	Op      string            `json:"op"`
	Name    string            `json:"name"`
	Service *registry.Service `json:"service"`
}

type answer struct {
	Event    string              `json:"event,omitempty"`
	Error    string              `json:"error,omitempty"`
	Services []*registry.Service `json:"services"`
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

// The only argument is the domain, which keeps tests apart from everything else in the network.
func main() {
	log := drpc.GetLogger()
	log.SetStdoutPrint(false)
	log.SetWriter(os.Stderr)
	log.SetLevel(glog.LEVEL_PROD)
	r := registry.NewRegistry(func(o *registry.Options) {
		o.Context = context.WithValue(o.Context, "mdns.domain", os.Args[1])
	})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			say(answer{Error: err.Error()})
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
