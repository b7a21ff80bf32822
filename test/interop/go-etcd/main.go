// dmicro-interop-etcd is the real Go DMicro with its registry in etcd. Each line of the standard input is a command, each
// line of the standard output its answer or what a watch has seen, as JSON.
//
//	dmicro-interop-etcd ENDPOINT
//	serve NAME VERSION   starts an RpcServer that registers itself, and renews that every second for three
//	stop                 closes it
//	watch NAME           reports every event from then on
//	get NAME | list      what is found
//	call NAME            an RpcClient that finds a server of this name and has it add 1, 2 and 3
//	calls NAME COUNT     so many calls of one RpcClient, one after the other: how many each kind of server answered, and
//	                     the failures
//	back NAME            a call of the same RpcClient whose handler calls it back
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gogf/gf/v2/os/glog"
	"github.com/osgochina/dmicro/client"
	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/registry"
	"github.com/osgochina/dmicro/registry/etcd"
	"github.com/osgochina/dmicro/selector"
	"github.com/osgochina/dmicro/server"
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

// Who says what kind of server answers.
func (m *Math) Who(_ *int) (string, *drpc.Status) { return "go", nil }

// Later says it after so many milliseconds.
func (m *Math) Later(ms *int) (string, *drpc.Status) {
	time.Sleep(time.Duration(*ms) * time.Millisecond)
	return "go", nil
}

// Call calls back the session that called it.
type Call struct{ drpc.CallCtx }

// Back asks the caller to double n.
func (c *Call) Back(n *int) (int, *drpc.Status) {
	var doubled int
	status := c.Session().Call("/client/double", *n, &doubled).Status()
	return doubled, status
}

// Client is what a caller offers to be called back on.
type Client struct{ drpc.CallCtx }

// Double is the route behind /call/back.
func (c *Client) Double(n *int) (int, *drpc.Status) { return *n * 2, nil }

var clients = map[string]*client.RpcClient{}

// clientOf is the one RpcClient of a service.
func clientOf(endpoint, name string) *client.RpcClient {
	if clients[name] == nil {
		nodes := selector.NewSelector(selector.OptRegistry(newRegistry(endpoint, name, "")))
		clients[name] = client.NewRpcClient(name, client.OptHeartbeatTime(3*time.Second), client.OptSelector(nodes))
		clients[name].Endpoint().RouteCall(new(Client))
		// DMicro watches a service from up to 100 ms after its first lookup on, and misses for a minute what happens before.
		_, _ = nodes.Select(name)
		time.Sleep(200 * time.Millisecond)
	}
	return clients[name]
}

type tally struct {
	Answers  map[string]int `json:"answers"`
	Failures []string       `json:"failures"`
}

func calls(cli *client.RpcClient, count int) tally {
	all := tally{Answers: map[string]int{}, Failures: []string{}}
	for i := 0; i < count; i++ {
		var who string
		if status := cli.Call("/math/who", 0, &who).Status(); status.OK() {
			all.Answers[who]++
		} else {
			all.Failures = append(all.Failures, status.String())
		}
	}
	return all
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
	var rpc *server.RpcServer
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch words[0] {
		case "serve":
			rpc = server.NewRpcServer(words[1],
				server.OptListenAddress("127.0.0.1:0"),
				server.OptEnableHeartbeat(true),
				server.OptRegistry(newRegistry(endpoint, words[1], words[2])))
			rpc.RouteCall(new(Math))
			rpc.RouteCall(new(Call))
			go func(rpc *server.RpcServer) { _ = rpc.ListenAndServe() }(rpc)
		case "stop":
			rpc.Close()
			print("stop", nil, nil)
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
		case "calls":
			count, _ := strconv.Atoi(words[2])
			print("calls", calls(clientOf(endpoint, words[1]), count), nil)
		case "back":
			var doubled int
			status := clientOf(endpoint, words[1]).Call("/call/back", 21, &doubled).Status()
			if !status.OK() {
				print("back", status.String(), nil)
			} else {
				print("back", doubled, nil)
			}
		}
	}
}
