// Asks the server at the port of the first argument what served.ts has the answers to, with sourcegraph/jsonrpc2 over one connection, and prints them
// as JSON. It has no batches. Meanwhile it serves, too: `double`, which the server calls for `both`.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/sourcegraph/jsonrpc2"
)

var ctx = context.Background()

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func double(_ context.Context, _ *jsonrpc2.Conn, request *jsonrpc2.Request) (any, error) {
	if request.Method != "double" {
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound, Message: "no " + request.Method}
	}
	var params []int
	if err := json.Unmarshal(*request.Params, &params); err != nil {
		return nil, err
	}
	return 2 * params[0], nil
}

func main() {
	stream := jsonrpc2.NewPlainObjectStream(must(net.Dial("tcp", "127.0.0.1:"+os.Args[1])))
	connection := jsonrpc2.NewConn(ctx, stream, jsonrpc2.AsyncHandler(jsonrpc2.HandlerWithError(double)))
	ask := func(method string, params any) (result any) {
		if err := connection.Call(ctx, method, params, &result); err != nil {
			return err
		}
		return result
	}
	for i := range 2 {
		if err := connection.Notify(ctx, "note", []int{i}); err != nil {
			panic(err)
		}
	}
	sold := ask("sell", []int{}).(*jsonrpc2.Error)
	answers := map[string]any{
		"position": ask("subtract", []int{42, 23}),
		"name":     ask("subtract", map[string]int{"subtrahend": 23, "minuend": 42}),
		"echo":     ask("echo", []any{"ä水\n", []any{nil, 1.5, map[string]any{"a": true}}}),
		"size":     ask("size", []string{strings.Repeat("y", 1_000_000)}),
		"nothing":  ask("nothing", []int{}),
		"missing":  ask("missing", []int{}).(*jsonrpc2.Error).Code,
		"sell":     []any{sold.Code, sold.Message},
		"noted":    ask("noted", []int{}),
		"both":     ask("both", []int{21}),
	}
	fmt.Println(string(must(json.Marshal(answers))))
}
