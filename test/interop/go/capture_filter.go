package main

import (
	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
	"github.com/osgochina/dmicro/drpc/plugin/auth"
)

func captureFilters(rec *recorder) {
	// A reply repeats the filters of its call, so each line below shows both directions.
	for name, ids := range sorted(map[string][]byte{
		"gzip": {'z'}, "md5": {'5'}, "gzip-md5": {'z', '5'}, "md5-gzip": {'5', 'z'}, "gzip-gzip": {'z', 'z'},
		"aes": {'a'}, "aes-gzip": {'a', 'z'}, "md5-aes": {'5', 'a'}, "aes-aes": {'a', 'a'},
	}) {
		if !rec.proto.carries(string(ids)) {
			continue
		}
		l := newLine(rec)
		l.call("call-"+name, "reply-"+name, "/math/add", []int{1, 2, 3, 4, 5}, drpc.WithTFilterPipe(ids...))
	}
	l := newLine(rec)
	l.call("call-gzip-empty-body", "reply-404-gzip", "/no/such/route", nil, drpc.WithTFilterPipe('z'))
	l.push("push-gzip", "/push/status", "hi", drpc.WithTFilterPipe('z'))
	l.call("call-gzip-4-kib", "reply-gzip-4-kib", "/echo/text", pattern(4096), drpc.WithTFilterPipe('z'))
	l.call("", "reply-gzip-from-handler", "/odd/gzip", awkward)
	if !rec.proto.carries("5") {
		return
	}
	l.call("", "reply-md5-gzip-from-handler", "/odd/gzip", awkward, drpc.WithTFilterPipe('5'))
}

// captureAuth records the exchange before a session starts: both messages are seq 1, and a
// refusal keeps its codec id, unlike any other failure.
func captureAuth(rec *recorder) {
	if rec.proto.is("http") {
		return // DMicro takes its own X-Mtype for meta, and with it the type of these messages
	}
	authenticate(rec, "client-auth-info-12345", "auth-call", "auth-reply-accepted")
	authenticate(rec, "wrong", "auth-call-wrong", "auth-reply-refused")
}

func authenticate(rec *recorder, info, callName, replyName string) {
	plain := drpc.WithBodyCodec(codec.PlainName)
	checker := auth.NewCheckerPlugin(func(_ auth.Session, receive auth.ReCvOnce) (any, *drpc.Status) {
		var got string
		if stat := receive(&got); !stat.OK() {
			return nil, stat
		}
		if got == "wrong" {
			return nil, drpc.NewStatus(403, "auth fail", "auth fail detail")
		}
		return "pass", nil
	}, plain)
	bearer := auth.NewBearerPlugin(func(_ auth.Session, send auth.SendOnce) *drpc.Status {
		var answer string
		return send(info, &answer)
	}, plain)

	t := newTee(rec.proto, captureServer(rec.proto, checker))
	cfg, _ := dialConfig("tcp")
	_, _ = drpc.NewEndpoint(cfg, bearer).Dial(t.address(), rec.proto.proto()) // the refused one reports its refusal here
	p := <-t.taps
	l := &line{rec: rec}
	l.keep(callName, p.up)
	l.keep(replyName, p.down)
}
