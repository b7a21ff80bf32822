package main

import (
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
)

// runNetHTTP serves with Go's own HTTP server, no DMicro: what it was asked, as JSON.
func runNetHTTP(args []string) {
	flags := flag.NewFlagSet("nethttp", flag.ExitOnError)
	network := flags.String("network", "tcp", "tcp, tcp6 or unix")
	listen := flags.String("listen", "127.0.0.1:0", "host:port, or a path for unix")
	_ = flags.String("proto", "", "of no meaning here")
	_ = flags.Parse(args)

	listener, err := net.Listen(*network, *listen)
	if err != nil {
		fail("listen: %v", err)
	}
	_ = announcer{}.AfterListen(listener.Addr())
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/none":
			http.NotFound(w, r)
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		case "/hints":
			w.Header().Set("Link", "</a>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			fallthrough
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]string{"host": r.Host, "method": r.Method, "body": string(body)})
		}
	}
	go func() { fail("server ended: %v", http.Serve(listener, http.HandlerFunc(handler))) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
	if *network == "unix" {
		_ = os.Remove(*listen)
	}
}
