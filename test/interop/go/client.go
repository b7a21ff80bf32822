package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/osgochina/dmicro/drpc"
)

// clientLimit ends the whole run: a check that hangs must not hang the test that started us.
const clientLimit = 30 * time.Second

// check is one named fact about the server at the other end.
type check struct {
	name string
	run  func(sess drpc.Session) error
	// goFails marks what Go's own server does not pass.
	goFails bool
}

// result is one line of output.
type result struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

func runClient(args []string) {
	flags := flag.NewFlagSet("client", flag.ExitOnError)
	network := flags.String("network", "tcp", "tcp, tcp6 or unix")
	addr := flags.String("addr", "", "host:port, or a path for unix")
	peerIsGo := flags.Bool("peer-is-go", false, "leave out what Go is known to get wrong against itself")
	_ = flags.Parse(args)

	cfg, cleanUp := dialConfig(*network)
	time.AfterFunc(clientLimit, func() {
		cleanUp()
		fail("no end after %s", clientLimit)
	})
	code := checkServer(cfg, *addr, *peerIsGo)
	cleanUp()
	os.Exit(code)
}

// checkServer runs every check on one session and returns the exit code.
func checkServer(cfg drpc.EndpointConfig, addr string, peerIsGo bool) int {
	endpoint := drpc.NewEndpoint(cfg)
	registerClientRoutes(endpoint)

	out := json.NewEncoder(os.Stdout)
	sess, stat := endpoint.Dial(addr)
	if !stat.OK() {
		_ = out.Encode(result{Name: "dial", Detail: stat.String()})
		return 1
	}
	code := 0
	for _, c := range allChecks() {
		if c.goFails && peerIsGo {
			continue
		}
		r := result{Name: c.name, OK: true}
		if err := c.run(sess); err != nil {
			r.OK, r.Detail, code = false, err.Error(), 1
		}
		_ = out.Encode(r)
	}
	return code
}

// allChecks is in order; one session runs them all, so each also proves that the one before
// left the session usable. Closing comes last.
func allChecks() []check {
	var all []check
	all = append(all, bodyChecks...)
	all = append(all, protoChecks...)
	all = append(all, formChecks...)
	all = append(all, xmlChecks...)
	all = append(all, statusChecks...)
	all = append(all, metaChecks...)
	all = append(all, filterChecks...)
	all = append(all, peerChecks...)
	all = append(all, loadChecks...)
	return append(all, check{name: "close", run: closeSession})
}

func closeSession(sess drpc.Session) error {
	if err := sess.Close(); err != nil {
		return err
	}
	if sess.Health() {
		return fmt.Errorf("session is healthy after Close")
	}
	return nil
}
