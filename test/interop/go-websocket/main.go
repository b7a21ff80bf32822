// dmicro-interop-websocket is the real Go DMicro over WebSocket, as server and client. It is a program of its own,
// because DMicro's protobuf protocol and its WebSocket mixer cannot be linked together.
//
//	dmicro-interop-websocket serve -proto raw|json|pb [-token T]
//	dmicro-interop-websocket dial  -proto raw|json|pb -addr HOST:PORT -path PATH
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gogf/gf/v2/os/glog"
	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/mixer/websocket"
	"github.com/osgochina/dmicro/drpc/mixer/websocket/jsonSubProto"
	"github.com/osgochina/dmicro/drpc/mixer/websocket/pbSubProto"
	"github.com/osgochina/dmicro/drpc/proto"
	"github.com/osgochina/dmicro/drpc/proto/rawproto"
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

// Echo answers with its argument.
type Echo struct{ drpc.CallCtx }

// Text answers with a text.
func (e *Echo) Text(text *string) (string, *drpc.Status) { return *text, nil }

// Meta answers with a meta.
func (e *Echo) Meta(_ *string) (string, *drpc.Status) { return fmt.Sprint(e.PeekMeta("key")), nil }

// Back calls and pushes to the session that called.
type Back struct{ drpc.CallCtx }

// Both calls /client/double and pushes /client/note.
func (c *Back) Both(n *int) (int, *drpc.Status) {
	var doubled int
	if stat := c.Session().Push("/client/note", fmt.Sprintf("note %d", *n)); !stat.OK() {
		return 0, stat
	}
	stat := c.Session().Call("/client/double", *n, &doubled).Status()
	return doubled, stat
}

// Status fails on purpose.
type Status struct{ drpc.CallCtx }

// Fail answers a status of its own.
func (s *Status) Fail(text *string) (int, *drpc.Status) {
	return 0, drpc.NewStatus(1001, *text, "asked for")
}

// Client is what a caller offers.
type Client struct{ drpc.CallCtx }

// Double is called by /back/both.
func (c *Client) Double(n *int) (int, *drpc.Status) { return *n * 2, nil }

// notes are texts that were pushed to the server.
var notes = make(chan string, 1)

// Tell is a PUSH to the server.
func Tell(_ drpc.PushCtx, text *string) *drpc.Status {
	notes <- *text
	return nil
}

// Told says what was pushed.
type Told struct{ drpc.CallCtx }

// Next waits for a push, because requests run side by side.
func (t *Told) Next(_ *string) (string, *drpc.Status) {
	select {
	case text := <-notes:
		return text, nil
	case <-time.After(10 * time.Second):
		return "", drpc.NewStatus(408, "no push came", "")
	}
}

func say(value any) {
	bytes, _ := json.Marshal(value)
	fmt.Println(string(bytes))
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(2)
}

func protoFunc(name string) proto.ProtoFunc {
	switch name {
	case "raw":
		return rawproto.RawProtoFunc
	case "json":
		return jsonSubProto.NewJSONSubProtoFunc()
	case "pb":
		return pbSubProto.NewPbSubProtoFunc()
	}
	fail("no protocol %q", name)
	return nil
}

type listening chan net.Addr

func (l listening) Name() string { return "listening" }
func (l listening) AfterListen(a net.Addr) error {
	l <- a
	return nil
}

func serve(name, token string) {
	// DMicro would take port 80 for 0.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("%v", err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	at := make(listening, 1)
	plugins := []drpc.Plugin{at}
	if token != "" {
		plugins = append(plugins, websocket.NewHandshakeAuthPlugin(func(r *http.Request) (string, *drpc.Status) {
			if websocket.QueryToken("access_token", r) != token {
				return "", drpc.NewStatus(401, "Unauthorized", "bad token")
			}
			return "user-1234", nil
		}, func(drpc.Session) *drpc.Status { return nil }))
	}
	config := drpc.EndpointConfig{Network: "tcp", LocalIP: "127.0.0.1", ListenIP: "127.0.0.1", ListenPort: uint16(port)}
	server := websocket.NewServer("/ws", config, plugins...)
	server.RouteCall(new(Math))
	server.RouteCall(new(Echo))
	server.RouteCall(new(Back))
	server.RouteCall(new(Status))
	server.RouteCall(new(Told))
	server.RoutePushFunc(Tell)
	go func() { _ = server.ListenAndServe(protoFunc(name)) }()
	say(map[string]string{"address": (<-at).String()})
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = server.Close()
}

// Note is pushed by the server.
func Note(_ drpc.PushCtx, text *string) *drpc.Status {
	say(map[string]any{"step": "note", "result": *text})
	return nil
}

func status(stat *drpc.Status) string {
	if stat.OK() {
		return "OK"
	}
	return fmt.Sprintf("%d %s", stat.Code(), stat.Msg())
}

func dial(name, address, path string) {
	client := websocket.NewClient(path, drpc.EndpointConfig{Network: "tcp", LocalIP: "127.0.0.1"})
	client.RouteCall(new(Client))
	client.SubRoute("client").RoutePushFunc(Note)
	session, stat := client.Dial(address, protoFunc(name))
	say(map[string]any{"step": "dial", "status": status(stat)})
	if !stat.OK() {
		return
	}
	call := func(step, method string, argument, result any) {
		stat := session.Call(method, argument, result).Status()
		say(map[string]any{"step": step, "status": status(stat), "result": result})
	}
	call("add", "/math/add", []int{1, 2}, new(int))
	call("quotes", "/echo/text", `a "quoted" text`, new(string))
	call("back", "/back/both", 21, new(int))
	call("large", "/text/len", strings.Repeat("x", 100_000), new(int))
	call("fail", "/status/fail", "no luck", new(int))
	call("nothing", "/no/such", nil, new(int))
	say(map[string]any{"step": "push", "status": status(session.Push("/note", "hi"))})
	call("last", "/math/add", []int{40, 2}, new(int))
	say(map[string]any{"step": "close", "status": fmt.Sprint(session.Close())})
}

func main() {
	// DMicro logs to stdout unless told otherwise.
	log := drpc.GetLogger()
	log.SetStdoutPrint(false)
	log.SetWriter(os.Stderr)
	log.SetLevel(glog.LEVEL_PROD)
	if len(os.Args) < 2 {
		fail("serve or dial")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	name := flags.String("proto", "json", "raw, json or pb")
	token := flags.String("token", "", "token that must be in the query")
	address := flags.String("addr", "", "host:port to dial")
	path := flags.String("path", "/ws", "path, with its query")
	_ = flags.Parse(os.Args[2:])
	if os.Args[1] == "serve" {
		serve(*name, *token)
	} else {
		dial(*name, *address, *path)
	}
}
