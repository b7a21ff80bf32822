package main

import (
	"flag"
	"io"
	"strconv"
	"strings"
)

const protocolNames = "raw|json|protobuf|jsonrpc|http"

type serverOptions struct {
	payload  payload
	protocol string // of DMicro; gRPC has its own
	network  string // of DMicro
	host     string // that it listens on
	secret   string // file of its certificate
}

type clientOptions struct {
	payload     payload
	address     string
	network     string // of DMicro
	host        string // that it dials from
	connections int
	inFlight    int // per connection
	seconds     float64
	warmup      float64
	rate        float64 // calls a second over all connections; 0: closed loop
	serverPIDs  []int
}

func parseServer(args []string) serverOptions {
	flags := flag.NewFlagSet("go-peer server", flag.ContinueOnError)
	name := flags.String("payload", "json-64", payloadNames)
	protocol := flags.String("proto", "raw", protocolNames)
	network := flags.String("network", "tcp", "tcp, kcp or quic")
	host := flags.String("host", "127.0.0.1", "address to listen on")
	secret := flags.String("certificate", "", "file of JSON with key and cert, for quic")
	parse(flags, args)
	return serverOptions{parsePayload(*name), *protocol, *network, *host, *secret}
}

func parseClient(args []string) clientOptions {
	var o clientOptions
	flags := flag.NewFlagSet("go-peer client", flag.ContinueOnError)
	name := flags.String("payload", "json-64", payloadNames)
	flags.StringVar(&o.address, "address", "", "host:port of the server")
	flags.StringVar(&o.network, "network", "tcp", "tcp, kcp or quic")
	flags.StringVar(&o.host, "host", "127.0.0.1", "address to dial from")
	flags.IntVar(&o.connections, "connections", 1, "connections")
	flags.IntVar(&o.inFlight, "in-flight", 1, "calls in flight per connection, in an open loop the most that may be")
	flags.Float64Var(&o.seconds, "seconds", 5, "the measured window")
	flags.Float64Var(&o.warmup, "warmup", 1, "seconds before it")
	flags.Float64Var(&o.rate, "rate", 0, "open loop: calls a second over all connections")
	pids := flags.String("server-pids", "", "processes whose CPU is the server's, by commas")
	parse(flags, args)
	o.payload = parsePayload(*name)
	o.serverPIDs = parsePIDs(*pids)
	switch {
	case o.address == "":
		fail("--address is missing")
	case o.connections < 1 || o.inFlight < 1:
		fail("--connections and --in-flight must be at least 1")
	case !(o.seconds > 0 && o.warmup >= 0 && o.rate >= 0):
		fail("--seconds must be above 0, --warmup and --rate not below")
	}
	return o
}

func parse(flags *flag.FlagSet, args []string) {
	flags.SetOutput(io.Discard) // one line, not the list of flags
	if err := flags.Parse(args); err != nil {
		fail("%v", err)
	}
	if flags.NArg() > 0 {
		fail("unknown argument %q", flags.Arg(0))
	}
}

func parsePIDs(list string) []int {
	var pids []int
	for _, text := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		pid, err := strconv.Atoi(text)
		if err != nil || pid < 1 {
			fail("--server-pids: %q is no process id", text)
		}
		pids = append(pids, pid)
	}
	return pids
}
