package main

import (
	"flag"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
	"github.com/osgochina/dmicro/drpc/plugin/auth"
	"github.com/osgochina/dmicro/drpc/plugin/ignorecase"
	"github.com/osgochina/dmicro/drpc/plugin/proxy"
)

// serverPlugins are DMicro's own plugins that flags ask for.
type serverPlugins struct {
	secret     *string
	ignoreCase *bool
	proxy      *string
}

func serverPluginFlags(flags *flag.FlagSet) serverPlugins {
	return serverPlugins{
		secret:     flags.String("auth", "", "let in only clients that know this secret"),
		ignoreCase: flags.Bool("ignore-case", false, "route by the service method in lower case"),
		proxy:      flags.String("proxy", "", "host:port that gets what has no route here"),
	}
}

func (s serverPlugins) list(p *protocol) []drpc.Plugin {
	var all []drpc.Plugin
	if *s.secret != "" {
		all = append(all, checkerOf(*s.secret))
	}
	if *s.ignoreCase {
		all = append(all, ignorecase.NewIgnoreCase())
	}
	if *s.proxy != "" {
		cfg, _ := dialConfig("tcp")
		sess, stat := drpc.NewEndpoint(cfg).Dial(*s.proxy, p.proto())
		if !stat.OK() {
			fail("proxy: %s", stat)
		}
		all = append(all, proxy.NewProxyPlugin(func(*proxy.Label) proxy.Forwarder { return sess }))
	}
	return all
}

// checkerOf answers "pass", or 403.
func checkerOf(secret string) drpc.Plugin {
	return auth.NewCheckerPlugin(func(_ auth.Session, receive auth.ReCvOnce) (any, *drpc.Status) {
		var got string
		if stat := receive(&got); !stat.OK() {
			return nil, stat
		}
		if got != secret {
			return nil, drpc.NewStatus(403, "auth fail", "auth fail detail")
		}
		return "pass", nil
	}, drpc.WithBodyCodec(codec.PlainName))
}

// bearerOf wants to hear "pass".
func bearerOf(secret string) drpc.Plugin {
	return auth.NewBearerPlugin(func(_ auth.Session, send auth.SendOnce) *drpc.Status {
		var answer string
		if stat := send(secret, &answer); !stat.OK() {
			return stat
		}
		if answer != "pass" {
			return drpc.NewStatus(401, "the answer is "+answer)
		}
		return nil
	}, drpc.WithBodyCodec(codec.PlainName))
}
