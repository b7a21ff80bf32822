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

// result is one line of output.
type result struct {
	Name string `json:"name"`
	Row  string `json:"row,omitempty"`
	OK   bool   `json:"ok"`
	// Skipped says why the check did not run.
	Skipped string `json:"skipped,omitempty"`
	Detail  string `json:"detail"`
}

func runClient(args []string) {
	flags := flag.NewFlagSet("client", flag.ExitOnError)
	network := flags.String("network", "tcp", "tcp, tcp6 or unix")
	addr := flags.String("addr", "", "host:port, or a path for unix")
	protoName := flags.String("proto", "raw", "application protocol")
	peerIsGo := flags.Bool("peer-is-go", false, "leave out what Go is known to get wrong against itself")
	secret := flags.String("auth", "", "what to tell the server first")
	plugins := flags.String("plugins", "", "ping-call, ping-push or secure: its checks run in place of all others")
	redial := flags.Int("redial", 0, "how often to dial a lost connection anew: its checks run in place of all others")
	tls := flags.String("tls", "", "files of a certificate and its key, separated by a comma")
	only := flags.Int("only", 0, "run that many checks, the first ones")
	_ = flags.Parse(args)

	p := protocolNamed(*protoName)
	if p.is("redis") {
		fail("DMicro has no client for redis: it writes nothing for a CALL")
	}
	cfg, cleanUp := dialConfig(*network)
	time.AfterFunc(clientLimit, func() {
		cleanUp()
		fail("no end after %s", clientLimit)
	})
	checks := allChecks()
	if *plugins != "" {
		checks = pluginChecks(*plugins)
	}
	if *redial != 0 {
		cfg.RedialTimes, cfg.RedialInterval = *redial, redialPause
		checks = redialChecks
	}
	if *only > 0 && *only < len(checks) {
		checks = checks[:*only]
	}
	list := pluginsNamed(*plugins)
	if *secret != "" {
		list = append(list, bearerOf(*secret))
	}
	code := checkServer(p, cfg, *tls, *addr, *peerIsGo, checks, list...)
	cleanUp()
	os.Exit(code)
}

// checkServer runs checks on one session and returns the exit code.
func checkServer(p *protocol, cfg drpc.EndpointConfig, tls, addr string, peerIsGo bool, checks []check, plugins ...drpc.Plugin) int {
	protoFunc := p.proto()
	endpoint := drpc.NewEndpoint(cfg, plugins...)
	useTLS(endpoint, tls, true)
	registerClientRoutes(endpoint)

	out := json.NewEncoder(os.Stdout)
	sess, stat := endpoint.Dial(addr, protoFunc)
	if !stat.OK() {
		_ = out.Encode(result{Name: "dial", Detail: stat.String()})
		return 1
	}
	code := 0
	for _, c := range checks {
		r := result{Name: c.name, Row: c.row, OK: true, Skipped: c.skipped(p, peerIsGo)}
		if r.Skipped == "" {
			if !sess.Health() { // the check before ended it, and has said so
				sess, _ = endpoint.Dial(addr, protoFunc)
			}
			if err := c.run(sess); err != nil {
				r.OK, r.Detail, code = false, err.Error(), 1
			}
		}
		_ = out.Encode(r)
	}
	return code
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
