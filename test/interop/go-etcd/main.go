// dmicro-interop-etcd is the real Go DMicro with its registry in etcd. Each line of the standard input is a command, each
// line of the standard output its answer or what a watch has seen, as JSON.
//
//	dmicro-interop-etcd ENDPOINT
//	serve NAME VERSION   starts a server that registers itself, and renews that every second for three
//	stop                 closes it
//	watch NAME           reports every event from then on
//	get NAME | list      what is found
//	call NAME            a client that finds a server of this name and has it add 1, 2 and 3
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gogf/gf/v2/os/glog"
	"github.com/osgochina/dmicro/client"
	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/registry"
	"github.com/osgochina/dmicro/registry/etcd"
	"github.com/osgochina/dmicro/selector"
)

// Math is the route every example of DMicro has.
type Math struct{ drpc.CallCtx }

// Add sums.
func (m *Math) Add(nums *[]int) (int, *drpc.Status) {
	sum := 0
	for _, n := range *nums {
		sum += n
	}
	return sum, nil
}

var printing sync.Mutex

func print(kind string, value any, err error) {
	line := map[string]any{"kind": kind, "value": value}
	if err != nil {
		line["error"] = err.Error()
	}
	printing.Lock()
	defer printing.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(line)
}

func newRegistry(endpoint, name, version string) registry.Registry {
	return etcd.NewRegistry(
		registry.OptServiceName(name),
		registry.OptServiceVersion(version),
		registry.OptAddrList(endpoint),
		registry.OptLeasesInterval(time.Second),
		etcd.RegisterTTL(3*time.Second),
	)
}

func main() {
	glog.SetStdoutPrint(false)
	endpoint := os.Args[1]
	reg := newRegistry(endpoint, "", "")
	var server drpc.Endpoint
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch words[0] {
		case "serve":
			server = drpc.NewEndpoint(drpc.EndpointConfig{LocalIP: "127.0.0.1", ListenPort: 0},
				registry.NewRegistryPlugin(newRegistry(endpoint, words[1], words[2])))
			server.RouteCall(new(Math))
			go func() { _ = server.ListenAndServe() }()
		case "stop":
			print("stop", nil, server.Close())
		case "watch":
			watcher, err := reg.Watch(registry.OptWatchService(words[1]))
			print("watch", nil, err)
			go func() {
				for {
					result, err := watcher.Next()
					if err != nil {
						print("lost", nil, err)
						return
					}
					print("event", result, nil)
				}
			}()
		case "get":
			services, err := reg.GetService(words[1])
			print("get", services, err)
		case "list":
			services, err := reg.ListServices()
			print("list", services, err)
		case "call":
			cli := client.NewRpcClient(words[1], client.OptSelector(selector.NewSelector(
				selector.OptRegistry(newRegistry(endpoint, words[1], "")))))
			var sum int
			status := cli.Call("/math/add", []int{1, 2, 3}, &sum).Status()
			if status.OK() {
				print("call", sum, nil)
			} else {
				print("call", status.String(), nil)
			}
		}
	}
}
