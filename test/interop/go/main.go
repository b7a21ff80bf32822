// Command dmicro-interop is the real Go DMicro in the roles our tests need:
// a server, a client that checks a server, and a recorder of Go's own bytes.
package main

import (
	"fmt"
	"os"

	"github.com/osgochina/dmicro/drpc/tfilter"
)

const usage = `usage: dmicro-interop <command> [flags]

  server  -network tcp|tcp6|unix -listen ADDR -proto P  serve the interop routes until stdin closes
  client  -network tcp|tcp6|unix -addr ADDR -proto P    check a server that offers the same routes
  nethttp -network tcp|tcp6|unix -listen ADDR           the same with Go's HTTP server and no DMicro, which echoes requests
  rpc-server -listen ADDR -service NAME                 the same routes behind an RpcServer
  rpc-client -addr ADDR -service NAME                   check a node of that service by an RpcClient
  capture -out DIR                                      write P.json: frames as Go writes them

The server takes -auth SECRET, -ignore-case and -proxy ADDR, the client -auth SECRET; both also take
-plugins LIST of ping-call, ping-push, pong and secure: DMicro's own plugins. The client takes -redial N.

P is raw (the default), json, protobuf, http, jsonrpc or redis; DMicro has no client for redis.
`

// gzipLevel is for us to choose; the receiver never learns it.
const gzipLevel = 6

// aesKey is what every peer of these tests has.
const aesKey = "1234567890123456"

func main() {
	logToStderr()
	// DMicro registers no filter by itself and hangs up on one it does not know.
	tfilter.RegGzip(gzipLevel)
	tfilter.RegMD5()
	tfilter.RegAES([]byte(aesKey))
	if len(os.Args) < 2 {
		fail(usage)
	}
	args := os.Args[2:]
	switch os.Args[1] {
	case "server":
		runServer(args)
	case "client":
		runClient(args)
	case "nethttp":
		runNetHTTP(args)
	case "rpc-server":
		runRPCServer(args)
	case "rpc-client":
		runRPCClient(args)
	case "capture":
		runCapture(args)
	default:
		fail(usage)
	}
}

// fail reports a mistake of the caller or of the set-up; 2 keeps it apart from a failed check.
func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(2)
}
