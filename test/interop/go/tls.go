package main

import (
	"strings"

	"github.com/osgochina/dmicro/drpc"
)

// useTLS sets DMicro's own TLS, from files. It has no option for roots of its own: insecure accepts every server.
func useTLS(endpoint drpc.Endpoint, files string, insecure bool) {
	if files == "" {
		return
	}
	cert, key, _ := strings.Cut(files, ",")
	if err := endpoint.SetTLSConfigFromFile(cert, key, insecure); err != nil {
		fail("%v", err)
	}
}
