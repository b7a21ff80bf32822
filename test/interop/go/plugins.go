package main

import (
	"strings"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/plugin/heartbeat"
	"github.com/osgochina/dmicro/drpc/plugin/securebody"
)

// bodyKey is what every peer encrypts bodies with.
const bodyKey = "cipherkey1234567"

// pingSeconds is the least DMicro allows.
const pingSeconds = 3

// pluginsNamed makes the plugins of a comma-separated list.
func pluginsNamed(list string) []drpc.Plugin {
	var all []drpc.Plugin
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		switch name {
		case "ping-call":
			all = append(all, heartbeat.NewPing(pingSeconds, true))
		case "ping-push":
			all = append(all, heartbeat.NewPing(pingSeconds, false))
		case "pong":
			all = append(all, heartbeat.NewPong())
		case "secure":
			all = append(all, securebody.NewSecureBodyPlugin(bodyKey))
		default:
			fail("no plugin %q: ping-call, ping-push, pong or secure", name)
		}
	}
	return all
}
