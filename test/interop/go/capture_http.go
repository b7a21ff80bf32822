package main

import (
	"strings"

	"github.com/osgochina/dmicro/drpc"
)

// captureHeaders shows what becomes of meta as headers: names change, line ends are spaces, and a
// name that is no token is lost.
func captureHeaders(l *line) {
	l.call("call-meta", "reply-meta-from-handler", "/meta/echo", map[string]string{"answer": "<&> 世界 😀", "empty": ""},
		drpc.WithSetMeta("author", "osgochina"), drpc.WithSetMeta("endpoint_id", "1"), drpc.WithSetMeta("hb_", "3"),
		drpc.WithRealIP("10.0.0.1"), drpc.WithSetMeta("X-B3-TraceId", "abc"))
	l.call("call-meta-line-ends", "", "/echo/any", 1, drpc.WithSetMeta("text", " one\r\ntwo\n "), drpc.WithSetMeta("empty", ""))
	l.call("call-meta-unicode", "", "/echo/any", 1, drpc.WithSetMeta("text", "héllo 世界 😀 \"<&>\""))
	l.call("call-meta-no-tokens", "", "/echo/any", 1, drpc.WithSetMeta("ключ", "lost"), drpc.WithSetMeta("a b", "lost"),
		drpc.WithSetMeta("", "lost"), drpc.WithSetMeta("kept", "yes"))
	l.call("call-meta-4-kib", "", "/echo/any", 1, drpc.WithSetMeta("long", strings.Repeat("0123456789abcdef", 256)))
}

// captureTargets shows what becomes of a service method as the target of a request.
func captureTargets(l *line) {
	l.call("call-query", "reply-query", "/echo/text?a=1&b=%20&c=&d=x=y", "x")
	l.call("call-host", "", "//example.test/echo/text", "x")
	l.call("call-method-255", "reply-404-method-255", "/"+strings.Repeat("m", 254), "x")
	l.call("call-method-unicode", "reply-404-method-unicode", "/消息/😀", "x")
	l.call("call-method-escaped", "reply-404-method-escaped", "/a%2Fb%3Fc", "x")
}
