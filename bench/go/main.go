// Command go-peer is the Go side of the benchmark: DMicro, which our figures are held against, and grpc-go.
// bench/README.md describes what servers and clients take and print.
package main

import (
	"fmt"
	"os"
)

const usage = `go-peer dmicro-server|grpc-server --payload P [--proto raw|json|protobuf|jsonrpc|http]
go-peer dmicro-client|grpc-client --payload P --address HOST:PORT [--connections N] [--in-flight M]
        [--seconds S] [--warmup W] [--rate R] [--server-pids 1,2]`

func main() {
	if len(os.Args) < 2 {
		fail("a command is missing:\n%s", usage)
	}
	command, args := os.Args[1], os.Args[2:]
	switch command {
	case "dmicro-server":
		serveDMicro(parseServer(args))
	case "dmicro-client":
		measure(parseClient(args), dialDMicro)
	case "grpc-server":
		serveGRPC(parseServer(args))
	case "grpc-client":
		measure(parseClient(args), dialGRPC)
	default:
		fail("unknown command %q; known:\n%s", command, usage)
	}
}

// fail ends the run: a benchmark that goes on after something unexpected prints a figure that means nothing.
func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "go-peer: "+format+"\n", args...)
	os.Exit(1)
}
